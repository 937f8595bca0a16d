import type { Dependencies } from "./dependencies.ts";
import type { Service, Settings } from "./settings/service-and-client.ts";

/** The dependencies of the engine for one call, and the service that the caller authenticated as. */
export interface Context extends Dependencies {
  readonly settings: Settings;
  /** Its settings as of this attempt of the decision. */
  readonly service: Service;
}
