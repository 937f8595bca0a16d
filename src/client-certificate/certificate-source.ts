import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";

/**
 * The certificate that came with a request: none, one that could not be read (with the reason), or its thumbprint; with
 * its DER where the source has it, which is what a resource server sends that lets its backend decide.
 *
 * The sources here give an `UnreadableReason`.
 */
export type CertificateOfConnection =
  undefined | { readonly unreadable: string } | { readonly x5tS256: string; readonly raw?: Uint8Array };

/**
 * Where the client's certificate of a request comes from; synchronous, and throws nothing for what a client may send.
 *
 * A source that cannot tell says `unreadable`, never `undefined`: that there is no certificate is a statement, too.
 */
export type CertificateSource = (request: IncomingMessage | Http2ServerRequest) => CertificateOfConnection;
