import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import { optionError } from "../options/option-error.ts";
import { MalformedCertificate } from "../x509/malformed-certificate.ts";
import { type ReadCertificate, readCertificates } from "../x509/read-certificate.ts";

/**
 * Reads the certificates of a PEM text, one at least; text around them says nothing (RFC 7468 §2).
 *
 * OpenSSL passes over what it cannot read. Here a broken block, or one of another kind, is refused: throws a
 * `TypeError` that names the option.
 *
 * @example readOptionCertificates("certificate", chain)[0].x5tS256
 */
export function readOptionCertificates(option: string, pem: string): readonly [ReadCertificate, ...ReadCertificate[]] {
  try {
    return readCertificates(pem);
  } catch (error) {
    if (!(error instanceof MalformedCertificate)) throw error;
    const isKey = error.reason === "private_key";
    throw optionError(
      option,
      isKey ? "must contain certificates and no key" : "must be one certificate or more in PEM",
    );
  }
}

/** A certificate and its private key. */
export interface KeyPairOptions {
  /** PEM: the client's certificate first, then those that lead to its issuer, if any. */
  readonly certificate: string | Uint8Array;
  /** PEM: the private key of the first certificate. */
  readonly key: string | Uint8Array;
  /** Of an encrypted key. */
  readonly passphrase?: string;
}

/** What connections present; the key's text is not kept. */
export interface KeyPair {
  /** The thumbprint of the certificate, as in the `cnf` of its tokens (RFC 8705 §3.1). */
  readonly x5tS256: string;
  readonly secureContext: SecureContext;
}

/**
 * Reads a certificate and its key and makes what TLS 1.2 and later needs of them, with these anchors for the peers.
 *
 * Throws a `TypeError` with a `code` when one is unreadable or they do not belong together; it quotes neither.
 * Nothing is said of validity: what an expired certificate is worth is for the peers to say.
 *
 * @example readKeyPair({ certificate, key }, undefined).x5tS256
 */
export function readKeyPair({ certificate, key, passphrase }: KeyPairOptions, ca: string[] | undefined): KeyPair {
  const cert = text("certificate", certificate);
  const keyText = text("key", key);
  if (passphrase !== undefined && typeof passphrase !== "string") throw optionError("passphrase", "must be text");
  const [{ x5tS256, raw }] = readOptionCertificates("certificate", cert);
  if (!new X509Certificate(raw).checkPrivateKey(readKey(keyText, passphrase))) {
    throw optionError("key", "must be the private key of the first certificate");
  }
  try {
    const secureContext = createSecureContext({
      cert,
      key: keyText,
      minVersion: "TLSv1.2",
      ...(passphrase !== undefined && { passphrase }),
      ...(ca !== undefined && { ca }),
    });
    return { x5tS256, secureContext };
  } catch {
    // For example a key of 1024 bits: OpenSSL's security level is the machine's.
    throw optionError("certificate", "must be one that OpenSSL presents, with a key of sufficient size");
  }
}

function readKey(key: string, passphrase: string | undefined): KeyObject {
  try {
    return createPrivateKey({ key, ...(passphrase !== undefined && { passphrase }) });
  } catch {
    throw optionError("key", "must be a private key in PEM, with its passphrase when it is encrypted");
  }
}

function text(option: string, value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  throw optionError(option, "must be PEM, as text or octets");
}
