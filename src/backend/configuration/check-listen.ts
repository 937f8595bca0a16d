import { createPrivateKey } from "node:crypto";
import { isIP } from "node:net";
import { createSecureContext } from "node:tls";
import { isLoopback } from "../../oauth/uri.ts";
import type { Problem } from "./configuration-error.ts";
import type { ListenMembers } from "./configuration-file.ts";
import type { ListenOnAddress, ListenTls } from "./configuration.ts";
import { explainCertificateChain, readCertificateChain } from "./explain-certificate.ts";

/** Problems of where the backend listens: a network may only reach it over TLS (RFC 7662 §2). */
export function* checkListen(listen: ListenMembers): Generator<Problem> {
  if (listen.unix !== undefined) {
    for (const member of ["host", "port", "tls", "behindTls"] as const) {
      if (listen[member] !== undefined) yield { path: `listen.${member}`, sentence: "cannot stand beside listen.unix" };
    }
  }
  if (listen.tls !== undefined && listen.behindTls === true) {
    yield { path: "listen.behindTls", sentence: "cannot be true beside listen.tls: TLS ends either here or in front" };
  }
}

/** Problems of an address that plain HTTP would be spoken on. */
export function* checkAddress({ host, tls, behindTls }: ListenOnAddress): Generator<Problem> {
  if (isIP(host) === 0 && !/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(host)) {
    yield { path: "listen.host", sentence: "must be an IP address (IPv6 without brackets) or a host name" };
  } else if (!isLoopback(host) && tls === undefined && !behindTls) {
    yield {
      path: "listen.host",
      sentence:
        "is not a loopback address: give listen.tls, or say listen.behindTls: true when what is in front of it ends TLS",
    };
  }
  if (tls !== undefined) yield* checkTls(tls);
}

function* checkTls({ certificate, key }: ListenTls): Generator<Problem> {
  const reason = explainCertificateChain(certificate);
  if (reason !== undefined) yield { path: "listen.tls.certificate", sentence: `is not a PEM certificate: ${reason}` };
  const privateKey = attempt(() => createPrivateKey(key));
  if (privateKey === undefined) {
    yield {
      path: "listen.tls.key",
      sentence: `is not a PEM private key without a passphrase: ${defectOfPrivateKey(key)}`,
    };
  }
  if (reason !== undefined || privateKey === undefined) return;
  const place = readCertificateChain(certificate).findIndex((one) => one.checkPrivateKey(privateKey));
  if (place > 0) {
    const sentence = `must begin with the certificate of listen.tls.key, which is its certificate ${place + 1}`;
    yield { path: "listen.tls.certificate", sentence };
  }
  if (place === -1) yield { path: "listen.tls.key", sentence: "is not the key of listen.tls.certificate" };
  if (place !== 0) return;
  const refusal = refusalOf(certificate, key);
  if (refusal !== undefined) yield { path: "listen.tls", sentence: `cannot be used: OpenSSL says "${refusal}"` };
}

/** Why TLS cannot be spoken with these, for example because the key is too short; OpenSSL's own words quote nothing. */
function refusalOf(cert: string, key: string): string | undefined {
  try {
    createSecureContext({ cert, key });
    return undefined;
  } catch (error) {
    const { reason } = error as { reason?: unknown };
    return typeof reason === "string" ? reason : "unusable";
  }
}

/** By the markers alone: nothing of it is quoted. */
function defectOfPrivateKey(text: string): string {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(text)) {
    return "it is encrypted; openssl pkey -in FILE writes it without";
  }
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) return "what is between its markers cannot be read";
  if (text.includes("-----BEGIN CERTIFICATE-----")) return "it is a certificate";
  if (/-----BEGIN (?:[A-Z]+ )?PUBLIC KEY-----/.test(text)) return "it is a public key";
  return "it has no markers of a private key (-----BEGIN PRIVATE KEY-----)";
}

/** An error message of node:crypto may quote unreadable input. */
function attempt<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
