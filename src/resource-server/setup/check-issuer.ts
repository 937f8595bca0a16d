import type { Issuer } from "../issuer.ts";
import { causeOf } from "./setup-cause.ts";
import { SetupFailure } from "./setup-failure.ts";

/**
 * Asks an issuer about a token that nobody has; rejects with {@link SetupFailure} when it cannot be asked.
 *
 * @example await checkIssuer(openIssuer(resolved, parts))
 */
export async function checkIssuer({ name, asked, check }: Pick<Issuer, "name" | "asked" | "check">): Promise<void> {
  try {
    await check();
  } catch (error) {
    const of = name === undefined ? "" : `${name}: `;
    const cause = causeOf(error, asked);
    if (cause !== undefined) throw new SetupFailure(cause.code, `${of}${cause.message}`, { cause: error });
    const said = error instanceof Error ? error.message : "a value that is not an Error was thrown";
    const message = `${of}The issuer of access tokens could not be asked: ${said}`;
    throw new SetupFailure("CERTBOUND_BACKEND_FAILED", message, { cause: error });
  }
}
