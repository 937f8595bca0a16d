import type { X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import { TLSSocket } from "node:tls";
import { createCertificateMemo } from "../x509/certificate-memo.ts";
import { type ReadCertificate, readCertificate } from "../x509/read-certificate.ts";
import { type CertificateOfConnection, type CertificateSource, unreadable } from "./certificate-source.ts";

type Request = IncomingMessage | Http2ServerRequest;

/** The certificate of each connection; it cannot change after it was read. */
const certificates = new WeakMap<object, ReadCertificate | undefined>();

const closed: CertificateOfConnection = unreadable("connection_closed");

/**
 * Creates the source for servers that terminate TLS: the certificate whose key the client proved to hold in the TLS
 * handshake with this process (RFC 8705 §3).
 *
 * Works with `https` and `http2` servers that set `requestCert: true` and `rejectUnauthorized: false`; never checks
 * whether the certificate is trusted (RFC 8705 §6.2). A plain connection has no certificate. A resumed session has the
 * certificate of its first handshake, because TLS does not prove possession again. The first read disables
 * renegotiation on the connection (TLS 1.2), so that the result stays valid.
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
  // After the connection has ended Node answers as if the peer had sent none.
  if (certificate === undefined && socket.destroyed) return closed;
  if (certificate !== undefined) return readOnce(socket, certificate);
  certificates.set(socket, undefined);
  return undefined;
}

/** Reads the certificate of a connection once. */
function readOnce(socket: TLSSocket, certificate: X509Certificate): ReadCertificate {
  const known = certificates.get(socket);
  if (known !== undefined) return known;
  const read = Object.freeze(readCertificate(certificate));
  certificates.set(socket, read);
  return read;
}

/** Longer than any real chain. */
const longestPath = 10;

/**
 * The paths of full handshakes by leaf: a resumed session has the leaf only, and a client that needs its path must not
 * fail after resumption. Only the holder of the leaf's key can add a path.
 */
const paths = createCertificateMemo<readonly string[]>({ maxEntries: 1000, maxOctets: 8_388_608 });

/** The members `clientCertificate` and `clientCertificatePath` of a request to the backend, as PEM texts. */
export interface PeerCertificatePems {
  readonly clientCertificate?: string;
  /** The other certificates that the client sent, in its order, without the leaf; at most ten. */
  readonly clientCertificatePath: readonly string[];
}

/**
 * Returns the client's certificate and path of this connection as PEM texts, for a front end that calls a backend.
 *
 * The path comes from the client and proves nothing; it only helps to build a path to a trust anchor. It is empty on a
 * plain connection and if the client sent none. A session resumed from another process has the certificate, but no
 * path.
 *
 * @example await backend.authToken({ parameters, ...peerCertificatePems(request) })
 */
export function peerCertificatePems(request: Request): PeerCertificatePems {
  const socket = peerSocketOf(request);
  if (!(socket instanceof TLSSocket)) return { clientCertificatePath: [] };
  // First of all: Node returns the path only the first time.
  const leaf = peerCertificate(socket);
  if (leaf === undefined) return { clientCertificatePath: [] };
  const { x5tS256 } = readOnce(socket, leaf);
  const clientCertificatePath = pathOf(leaf, x5tS256, socket.isSessionReused());
  return { clientCertificate: leaf.toString(), clientCertificatePath };
}

function pathOf(leaf: X509Certificate, x5tS256: string, resumed: boolean): readonly string[] {
  if (resumed) return paths.get(x5tS256) ?? [];
  const path: string[] = [];
  // Bounded: the client may send an endless chain, or one that is no chain.
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
 * Returns the socket of a request, the same object for all requests of a connection; `undefined` after an HTTP/2
 * session has ended.
 *
 * With HTTP/2 `request.socket` is a new proxy object for each stream; the session's socket can be used as a key.
 */
export function peerSocketOf(request: IncomingMessage | Http2ServerRequest): object | undefined {
  return "stream" in request ? request.stream.session?.socket : request.socket;
}
