import { X509Certificate } from "node:crypto";
import type { Configuration, ConfiguredService } from "../configuration/configuration.ts";
import { readCertificateChain } from "../configuration/explain-certificate.ts";
import { readKeySet } from "../configuration/key-algorithms.ts";
import type { ClientSettings } from "../engine/settings/settings.ts";
import { warning, type Finding } from "./finding.ts";

const day = 86_400_000;

/** Days before its end at which a certificate is worth a warning. */
const soon = 30;

/** Warns of the configured certificates that are not valid now (milliseconds since 1970), or not for much longer. */
export function checkValidity({ listen, services }: Configuration, now: number): readonly Finding[] {
  return [
    ...("tls" in listen ? ofFile("listen.tls.certificate", listen.tls.certificate, now, "callers refuse it") : []),
    ...services.flatMap((service, index) => [...ofService(service, `services[${index}]`, now)]),
  ];
}

function ofFile(path: string, pem: string, now: number, consequence: string): readonly Finding[] {
  return readCertificateChain(pem).flatMap((certificate, index) => {
    const what = index === 0 ? "" : `has a certificate ${index + 1} that `;
    return found(path, certificate, now, { what, consequence });
  });
}

function* ofService({ settings, clients }: ConfiguredService, at: string, now: number): Generator<Finding> {
  yield* ofAnchors(settings.trustedRootCertificates, at, now);
  for (const [index, client] of clients.entries()) {
    const path = `${at}.clients[${index}]`;
    yield* ofAnchors(client.trustedRootCertificates ?? [], path, now);
    yield* ofRegistered(client, path, now);
  }
}

function* ofAnchors(anchors: readonly string[], at: string, now: number): Generator<Finding> {
  for (const [index, pem] of anchors.entries()) {
    const consequence = "no client certificate is accepted whose path ends there";
    yield* ofFile(`${at}.trustedRootCertificates[${index}]`, pem, now, consequence);
  }
}

function* ofRegistered({ tokenAuthMethod, jwks }: ClientSettings, at: string, now: number): Generator<Finding> {
  if (tokenAuthMethod !== "SELF_SIGNED_TLS_CLIENT_AUTH" || jwks === undefined) return;
  for (const [index, { x5c: [base64] = [] }] of (readKeySet(jwks) ?? []).entries()) {
    if (base64 === undefined) continue;
    yield* found(`${at}.jwks`, new X509Certificate(Buffer.from(base64, "base64")), now, {
      what: `keys[${index}] has a certificate that `,
      consequence: "it still counts, since it is registered; the client's own software may refuse it",
    });
  }
}

interface Words {
  readonly what?: string;
  readonly consequence: string;
}

function found(path: string, certificate: X509Certificate, now: number, words: Words): readonly Finding[] {
  const { what = "", consequence } = words;
  const { validFromDate, validToDate } = certificate;
  const instant = (date: Date): string => date.toISOString().replace(".000Z", "Z");
  if (now > validToDate.getTime()) {
    return [warning(path, `${what}has expired (${instant(validToDate)}): ${consequence}`)];
  }
  if (now < validFromDate.getTime()) {
    return [warning(path, `${what}is not valid before ${instant(validFromDate)}: ${consequence}`)];
  }
  const days = Math.floor((validToDate.getTime() - now) / day);
  if (days >= soon) return [];
  return [warning(path, `${what}expires in ${days} days (${instant(validToDate)}); then: ${consequence}`)];
}
