import type { Form } from "../../../oauth/form.ts";
import type { ResultCode } from "../result.ts";
import type { CertificateOfRequest } from "./presented-certificate.ts";

/** All that a request brings along to prove who the client is. */
export interface Evidence {
  readonly form: Form;
  /** The password of Basic credentials; `undefined` when there were none. */
  readonly basicSecret: string | undefined;
  readonly certificate: CertificateOfRequest | undefined;
  /** PEM texts, leaf excluded. */
  readonly certificatePath: readonly string[];
}

/** `detail` is for the API caller's operator; the OAuth client gets one flat answer for every failure. */
export type ClientAuthentication =
  | { readonly authenticated: true }
  | { readonly authenticated: false; readonly code: ResultCode; readonly detail?: string };

export const authenticated: ClientAuthentication = Object.freeze({ authenticated: true });

export function notAuthenticated(code: ResultCode, detail?: string): ClientAuthentication {
  return detail === undefined ? { authenticated: false, code } : { authenticated: false, code, detail };
}
