import { X509Certificate } from "node:crypto";
import type { ClientSettings, ServiceSettings } from "../engine/management/settings.ts";
import type { ConfiguredService } from "./configuration.ts";

/** Sentences about what is accepted and perhaps not meant, each with the path of its member. */
export function warningsOf(services: readonly ConfiguredService[]): readonly string[] {
  if (services.length === 0) return ["services is empty: every call of the API will be refused"];
  return services.flatMap(({ settings, clients }, index) => {
    const at = `services[${index}]`;
    return [
      ...ofService(settings, at),
      ...clients.flatMap((client, position) => [...ofClient(client, settings, `${at}.clients[${position}]`)]),
    ];
  });
}

function* ofService(service: ServiceSettings, at: string): Generator<string> {
  if (!service.mutualTlsValidatePkiCertChain) {
    yield `${at}.mutualTlsValidatePkiCertChain is false: certbound trusts the front end to validate client certificates`;
  }
  yield* ofAnchors(service.trustedRootCertificates, at);
  if (service.supportedGrantTypes.includes("PASSWORD")) {
    yield `${at}.supportedGrantTypes has PASSWORD, which RFC 9700 §2.4 forbids`;
  }
}

function* ofClient(client: ClientSettings, service: ServiceSettings, at: string): Generator<string> {
  if (client.tlsClientCertificateBoundAccessTokens && !service.tlsClientCertificateBoundAccessTokens) {
    yield `${at}.tlsClientCertificateBoundAccessTokens has no effect: the service's is false, so tokens are not bound`;
  }
  yield* ofAnchors(client.trustedRootCertificates ?? [], at);
  if (client.clientIdAlias !== undefined && !client.clientIdAliasEnabled) {
    yield `${at}.clientIdAlias has no effect: clientIdAliasEnabled is false`;
  }
  if (client.clientType === "PUBLIC" && client.grantTypes.includes("CLIENT_CREDENTIALS")) {
    yield `${at}.grantTypes has CLIENT_CREDENTIALS, which is never granted to a PUBLIC client (RFC 6749 §4.4.2)`;
  }
}

/** A path ends at a root: OpenSSL takes no intermediate for its end. */
function* ofAnchors(anchors: readonly string[], at: string): Generator<string> {
  for (const [index, pem] of anchors.entries()) {
    const anchor = new X509Certificate(pem);
    if (anchor.checkIssued(anchor)) continue;
    yield `${at}.trustedRootCertificates[${index}] is not self-issued: no client certificate will have a path that ends there`;
  }
}
