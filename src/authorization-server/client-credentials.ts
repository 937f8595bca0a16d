import { readBasicCredentials } from "../oauth/basic-credentials.ts";
import type { EndpointRequest } from "./endpoint.ts";

/** The members in which the API takes what a client sent. */
export interface ForwardedMembers {
  readonly parameters: string;
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly clientCertificate?: string;
  readonly clientCertificatePath?: string[];
}

/**
 * Puts a client's request into the members of the API: the body as it came, Basic credentials form-decoded
 * (RFC 6749 §2.3.1), and the certificate of the connection. `undefined`: the Authorization header is unusable.
 */
export function forwardedMembers(request: EndpointRequest): ForwardedMembers | undefined {
  const { authorization, clientCertificate, clientCertificatePath } = request;
  const basic = authorization === undefined ? undefined : readBasicCredentials(authorization, { formDecoded: true });
  // Without a user id the credentials are nobody's: half of them must not be looked for in the body.
  if (basic?.ok === false || basic?.userId === "") return undefined;
  return {
    parameters: request.body,
    ...(basic === undefined ? {} : { clientId: basic.userId, clientSecret: basic.password }),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
    ...(clientCertificatePath === undefined ? {} : { clientCertificatePath: [...clientCertificatePath] }),
  };
}
