import type { X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import { TLSSocket } from "node:tls";
import { createCertificateMemo } from "../x509/certificate-memo.ts";
import { type ReadCertificate, readCertificate } from "../x509/read-certificate.ts";
import { type CertificateOfConnection, type CertificateSource, unreadable } from "./certificate-source.ts";

type Request = IncomingMessage | Http2ServerRequest;

/** A connection's certificate cannot change any more once it is in here. */
const certificates = new WeakMap<object, ReadCertificate | undefined>();

const closed: CertificateOfConnection = unreadable("connection_closed");

/**
 * The certificate that the client proved possession of in the TLS handshake with this very process (RFC 8705 §3).
 *
 * Works under `https` and `http2` with `requestCert: true` and `rejectUnauthorized: false`; whether the certificate is
 * trusted is never looked at (RFC 8705 §6.2). A plain connection has none. A resumed session has that of its first
 * handshake, whatever the client holds now: TLS proves no possession anew. The first look ends renegotiation on the
 * connection (TLS 1.2), so what was found stays true.
 *
 * @example createServer({ cert, key, requestCert: true, rejectUnauthorized: false }, (request) => tlsSocket()(request))
 */
export function tlsSocket(): CertificateSource {
  return certificateOf;
}

function certificateOf(request: Request): CertificateOfConnection {
  const socket = peerSocketOf(request);
  if (socket === undefined) return closed;
  const known = certificates.get(socket);
  if (known !== undefined || certificates.has(socket)) return known;
  if (!(socket instanceof TLSSocket)) return undefined;
  const certificate = peerCertificate(socket);
  // Without a handle Node answers as if the peer had sent none.
  if (certificate === undefined && socket.destroyed) return closed;
  if (certificate !== undefined) return readOnce(socket, certificate);
  certificates.set(socket, undefined);
  return undefined;
}

/** Reads the certificate of a connection, unless that was done. */
function readOnce(socket: TLSSocket, certificate: X509Certificate): ReadCertificate {
  const known = certificates.get(socket);
  if (known !== undefined) return known;
  const read = Object.freeze(readCertificate(certificate));
  certificates.set(socket, read);
  return read;
}

/** More than any real chain has. */
const longestPath = 10;

/**
 * The paths of full handshakes by their leaf: a resumed session brings back the leaf alone, and a client that is
 * known by its path must not fail for having resumed. Only who holds the leaf's key gets a path in here.
 */
const paths = createCertificateMemo<readonly string[]>({ maxEntries: 1000, maxOctets: 8_388_608 });

/** What a front end hands its backend: `clientCertificate` and `clientCertificatePath`, as PEM texts. */
export interface PeerCertificatePems {
  readonly clientCertificate?: string;
  /** The certificates that the client sent besides, in its order, the leaf not among them; ten at most. */
  readonly clientCertificatePath: readonly string[];
}

/**
 * The client's certificate and path of this connection as PEM texts, for a front end that asks a backend.
 *
 * The path is what the client says and proves nothing; it only helps to find the way to an anchor. Empty on a plain
 * connection and when the client has sent none. A session resumed from another process has the certificate and no path.
 *
 * @example await backend.authToken({ parameters, ...peerCertificatePems(request) })
 */
export function peerCertificatePems(request: Request): PeerCertificatePems {
  const socket = peerSocketOf(request);
  if (!(socket instanceof TLSSocket)) return { clientCertificatePath: [] };
  // Before anything else: Node has the path the first time only.
  const leaf = peerCertificate(socket);
  if (leaf === undefined) return { clientCertificatePath: [] };
  const { x5tS256 } = readOnce(socket, leaf);
  const clientCertificatePath = pathOf(leaf, x5tS256, socket.isSessionReused());
  return { clientCertificate: leaf.toString(), clientCertificatePath };
}

function pathOf(leaf: X509Certificate, x5tS256: string, resumed: boolean): readonly string[] {
  if (resumed) return paths.get(x5tS256) ?? [];
  const path: string[] = [];
  // Bounded: nothing says that issuers end, or are issuers.
  for (
    let next = leaf.issuerCertificate;
    next !== undefined && path.length < longestPath;
    next = next.issuerCertificate
  ) {
    path.push(next.toString());
  }
  if (path.length > 0) paths.set(x5tS256, path, path.join("").length);
  return path;
}

function peerCertificate(socket: TLSSocket): X509Certificate | undefined {
  socket.disableRenegotiation();
  return socket.getPeerX509Certificate();
}

/**
 * The socket that a request came on, one and the same object for all requests of a connection; `undefined` after an
 * HTTP/2 session has ended.
 *
 * Under HTTP/2 `request.socket` is a new proxy for each stream; the session's is what can be a key.
 */
export function peerSocketOf(request: IncomingMessage | Http2ServerRequest): object | undefined {
  return "stream" in request ? request.stream.session?.socket : request.socket;
}
