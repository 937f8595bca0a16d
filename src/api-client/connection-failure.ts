import { BackendUnavailable } from "./backend-unavailable.ts";
import { BackendUntrusted, isVerificationCode } from "./backend-untrusted.ts";

/**
 * What an error below HTTP means. The errors of HTTP clients carry the request with its credentials and body: only the
 * system's code and words are taken over.
 *
 * `label` is the operation's method and path.
 */
export function connectionFailure(
  label: string,
  { code, message }: { readonly code: string; readonly message: string },
): BackendUnavailable {
  const cause = Object.assign(new Error(message), { code });
  const sentence = `${label}: ${code}.`;
  return isVerificationCode(code)
    ? new BackendUntrusted(sentence, code, { cause })
    : new BackendUnavailable(sentence, code, { cause });
}
