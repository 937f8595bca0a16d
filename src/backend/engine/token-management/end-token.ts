import type { Command } from "../../store/command.ts";
import { newAttempt } from "../attempt.ts";
import type { Dependencies } from "../dependencies.ts";

/** The command that ends a token and its grant, with all that the grant has given; or the token that stands alone. */
export function endToken(
  { clock, random }: Pick<Dependencies, "clock" | "random">,
  serviceId: number,
  { digest, grantId }: { readonly digest: Uint8Array; readonly grantId: string | undefined },
): Command {
  const change = { attempt: newAttempt(random), serviceId, endedAt: clock() };
  return grantId === undefined
    ? { name: "revoke-access-token", digest, ...change }
    : { name: "end-grant", grantId, ...change };
}
