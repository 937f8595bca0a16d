import type { ChainVerdict } from "../engine/dependencies.ts";
import { ChainVerificationFailure } from "./chain-verification-failure.ts";
import type { OpensslOutput } from "./openssl-process.ts";

/** The line before it, the certificate's subject, is the client's own text and is not repeated. */
const errorLine = /^error \d{1,4} at \d{1,4} depth lookup: ?[\x20-\x7e]{1,160}$/gm;

/** OpenSSL goes on after some errors; the first ones say enough. */
const maximumErrors = 4;

/**
 * Reads what `openssl verify` answered about the certificate on its standard input.
 *
 * Trusted takes all three: exit code 0, `stdin: OK`, and not one error line (OpenSSL goes on after some errors).
 * Throws {@link ChainVerificationFailure} when the output is neither that nor a refusal with its reason.
 *
 * @example readVerdict({ code: 0, stdout: "stdin: OK\n", stderr: "" }) // { trusted: true }
 */
export function readVerdict({ code, stdout, stderr }: OpensslOutput): ChainVerdict {
  const errors = stderr.match(errorLine);
  if (errors !== null) return { trusted: false, reason: [...new Set(errors)].slice(0, maximumErrors).join("; ") };
  if (code === 0 && stdout === "stdin: OK\n") return { trusted: true };
  throw new ChainVerificationFailure(`openssl ended with code ${code} and gave no verdict`);
}
