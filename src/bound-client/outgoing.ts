import type { TokenTarget } from "./bound-tokens.ts";
import type { Presenter } from "./presenter.ts";
import type { TargetOf } from "./resource-servers.ts";

/** What every way out is made of. */
export interface Outgoing {
  /** Of the certificate of the moment. */
  readonly current: () => Presenter;
  readonly targetOf: TargetOf;
  /** A token, with the presenter of the certificate that it is bound to: they belong on the same connection. */
  readonly obtain: (target: TokenTarget) => Promise<{ readonly presenter: Presenter; readonly accessToken: string }>;
}
