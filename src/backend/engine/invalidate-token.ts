import type { InvalidateToken } from "../store/command.ts";
import { newAttempt } from "./attempt.ts";
import type { Dependencies } from "./dependencies.ts";

/** The command that ends what resource servers remember of a token which the store does not know. */
export function invalidateToken(
  { clock, random }: Pick<Dependencies, "clock" | "random">,
  serviceId: number,
  digests: readonly Uint8Array[],
): InvalidateToken {
  return { name: "invalidate-token", attempt: newAttempt(random), serviceId, digests, at: clock() };
}
