import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import { optionError } from "../options/option-error.ts";
import { MalformedCertificate } from "../x509/malformed-certificate.ts";
import { type ReadCertificate, readCertificates } from "../x509/read-certificate.ts";

/**
 * Reads one or more certificates from PEM text. Text around the blocks is ignored (RFC 7468 §2).
 *
 * Throws a `TypeError` that names the option for a broken block or one of another type, which OpenSSL would skip
 * silently.
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
      isKey ? "must contain certificates only, no key" : "must be one or more certificates in PEM",
    );
  }
}

/** A certificate and its private key. */
export interface KeyPairOptions {
  /** PEM: the client's certificate first, then the intermediate certificates, if any. */
  readonly certificate: string | Uint8Array;
  /** PEM: the private key of the first certificate. */
  readonly key: string | Uint8Array;
  /** Decrypts the key, if it is encrypted. */
  readonly passphrase?: string;
}

/** What connections present. The text of the key is not kept. */
export interface KeyPair {
  /** The thumbprint of the certificate, as in the `cnf` of its tokens (RFC 8705 §3.1). */
  readonly x5tS256: string;
  readonly secureContext: SecureContext;
}

/**
 * Reads a certificate and its key into a context for TLS 1.2 and later, with these trust anchors for servers.
 *
 * Throws a `TypeError` with a `code` if one is unreadable or they do not belong together; it quotes neither. The
 * validity period is not checked: servers decide about an expired certificate.
 *
 * @example readKeyPair({ certificate, key }, undefined).x5tS256
 */
export function readKeyPair({ certificate, key, passphrase }: KeyPairOptions, ca: string[] | undefined): KeyPair {
  const cert = text("certificate", certificate);
  const keyText = text("key", key);
  if (passphrase !== undefined && typeof passphrase !== "string") throw optionError("passphrase", "must be a string");
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
    // For example a key of 1024 bits, below the security level of this machine's OpenSSL.
    throw optionError("certificate", "must be one that OpenSSL accepts, with a key of sufficient size");
  }
}

function readKey(key: string, passphrase: string | undefined): KeyObject {
  try {
    return createPrivateKey({ key, ...(passphrase !== undefined && { passphrase }) });
  } catch {
    throw optionError("key", "must be a private key in PEM, with its passphrase if it is encrypted");
  }
}

function text(option: string, value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  throw optionError(option, "must be PEM, as a string or Uint8Array");
}
