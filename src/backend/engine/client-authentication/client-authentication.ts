import type { Form } from "../../../oauth/form.ts";
import type { ResultCode } from "../answer/result.ts";
import type { CertificateOfRequest } from "./presented-certificate.ts";

/** The endpoints at which clients authenticate, by their names in the metadata (RFC 8414 §2). */
export type ClientEndpoint = "token_endpoint" | "revocation_endpoint";

/** All that a request brings along to prove who the client is. */
export interface Evidence {
  readonly form: Form;
  /** The password of Basic credentials; `undefined` without Basic credentials. */
  readonly basicSecret: string | undefined;
  readonly certificate: CertificateOfRequest | undefined;
  /** PEM texts, leaf excluded. */
  readonly certificatePath: readonly string[];
  /** Where the request was sent: an assertion may be meant for it. */
  readonly endpoint: ClientEndpoint;
  /** One per request: when a decision is repeated, its assertion counts as used by this same request. */
  readonly attempt: Uint8Array;
}

/** `detail` is for the API caller's operator; the OAuth client gets one flat answer for every failure. */
export type ClientAuthentication = { readonly authenticated: true } | NotAuthenticated;

export interface NotAuthenticated {
  readonly authenticated: false;
  readonly code: ResultCode;
  readonly detail?: string;
}

export const authenticated: ClientAuthentication = Object.freeze({ authenticated: true });

export function notAuthenticated(code: ResultCode, detail?: string): NotAuthenticated {
  return detail === undefined ? { authenticated: false, code } : { authenticated: false, code, detail };
}
