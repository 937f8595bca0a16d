import type { Command, InvalidateToken } from "../../store/command.ts";
import { newAttempt } from "../answer/run-decided.ts";
import type { Dependencies } from "../dependencies.ts";

/** The command that ends a token with its grant and all other tokens of it, or a token without a grant by itself. */
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

/** The command that ends what resource servers remember of a token which the store does not know. */
export function invalidateToken(
  { clock, random }: Pick<Dependencies, "clock" | "random">,
  serviceId: number,
  digests: readonly Uint8Array[],
): InvalidateToken {
  return { name: "invalidate-token", attempt: newAttempt(random), serviceId, digests, at: clock() };
}
