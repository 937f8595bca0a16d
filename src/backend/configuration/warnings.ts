import { X509Certificate } from "node:crypto";
import { readCertificates } from "../../x509/read-certificate.ts";
import { requiresBinding } from "../../oauth/certificate-binding.ts";
import { mtlsEndpoints } from "../../oauth/registered-names.ts";
import { readWrittenName } from "../../x509/read-distinguished-name.ts";
import { respellDistinguishedName } from "../../x509/respell-distinguished-name.ts";
import type { ClientSettings, ServiceSettings } from "../engine/settings/settings.ts";
import type { ConfiguredService } from "./configuration.ts";
import { howToPrintSubject } from "./explain-subject.ts";

/** Sentences about accepted settings that are perhaps mistakes, each with the path of its member. */
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
  for (const [index, { name }] of service.mtlsEndpointAliases.entries()) {
    if (mtlsEndpoints.has(name)) continue;
    yield `${at}.mtlsEndpointAliases[${index}] has no effect: only ${[...mtlsEndpoints].join(", ")} are published (RFC 8705 §5)`;
  }
  if (isPublished(service) && service.jwksUri === undefined && hasOpenId(service)) {
    yield `${at}.supportedScopes has openid, and no jwksUri says where the keys are that ID tokens are verified with`;
  }
  if (isPublished(service) && takesCertificates(service) && !hasTokenEndpoint(service)) {
    yield `${at}.supportedTokenAuthMethods has methods by certificate, and neither tokenEndpoint nor mtlsEndpointAliases says where clients can use them`;
  }
}

function* ofClient(client: ClientSettings, service: ServiceSettings, at: string): Generator<string> {
  if (client.tlsClientCertificateBoundAccessTokens && !requiresBinding(service, client)) {
    yield `${at}.tlsClientCertificateBoundAccessTokens has no effect: the service's is false, so tokens are not bound`;
  }
  if (client.tlsClientAuthSubjectDn !== undefined) yield* ofSubjectDn(client.tlsClientAuthSubjectDn, at);
  yield* ofAnchors(client.trustedRootCertificates ?? [], at);
  if (client.clientIdAlias !== undefined && !client.clientIdAliasEnabled) {
    yield `${at}.clientIdAlias has no effect: clientIdAliasEnabled is false`;
  }
  if (client.clientType === "PUBLIC" && client.grantTypes.includes("CLIENT_CREDENTIALS")) {
    yield `${at}.grantTypes has CLIENT_CREDENTIALS, which is never granted to a PUBLIC client (RFC 6749 §4.4.2)`;
  }
  const others = client.grantTypes.filter((grantType) => !service.supportedGrantTypes.includes(grantType));
  if (others.length > 0) yield `${at}.grantTypes has ${others.join(", ")}: not in the service's supportedGrantTypes`;
  if (client.clientType === "PUBLIC" && client.grantTypes.includes("REFRESH_TOKEN") && keepsUnbound(client, service)) {
    yield `${at}.grantTypes has REFRESH_TOKEN: kept as it is (refreshTokenKept) and bound to no certificate, a PUBLIC client's can be used by a thief unnoticed (RFC 9700 §4.14.2)`;
  }
}

function isPublished(service: ServiceSettings): boolean {
  const { authorizationEndpoint, revocationEndpoint, introspectionEndpoint, userInfoEndpoint, jwksUri } = service;
  const endpoints = [authorizationEndpoint, revocationEndpoint, introspectionEndpoint, userInfoEndpoint, jwksUri];
  return endpoints.some((endpoint) => endpoint !== undefined) || service.mtlsEndpointAliases.length > 0;
}

function hasOpenId({ supportedScopes, jwks }: ServiceSettings): boolean {
  return jwks !== undefined && supportedScopes.some(({ name }) => name === "openid");
}

function takesCertificates({ supportedTokenAuthMethods: methods }: ServiceSettings): boolean {
  return methods.includes("TLS_CLIENT_AUTH") || methods.includes("SELF_SIGNED_TLS_CLIENT_AUTH");
}

function hasTokenEndpoint({ tokenEndpoint, mtlsEndpointAliases }: ServiceSettings): boolean {
  return tokenEndpoint !== undefined || mtlsEndpointAliases.some(({ name }) => name === "token_endpoint");
}

function keepsUnbound(client: ClientSettings, service: ServiceSettings): boolean {
  return service.refreshTokenKept && !requiresBinding(service, client);
}

/** A path ends at a root: OpenSSL takes no intermediate for its end. */
function* ofAnchors(anchors: readonly string[], at: string): Generator<string> {
  for (const [index, file] of anchors.entries()) {
    for (const [place, { raw }] of readCertificates(file).entries()) {
      const anchor = new X509Certificate(raw);
      if (anchor.checkIssued(anchor)) continue;
      const which = place === 0 ? "is" : `has a certificate ${place + 1} that is`;
      yield `${at}.trustedRootCertificates[${index}] ${which} not self-issued: no client certificate will have a path that ends there`;
    }
  }
}

/** Sentences about a registered distinguished name that is readable and perhaps matches no certificate. */
function* ofSubjectDn(text: string, at: string): Generator<string> {
  const path = `${at}.tlsClientAuthSubjectDn`;
  const respelt = respellDistinguishedName(text);
  if (respelt !== undefined) {
    yield `${path} has its most general part first, as openssl x509 -subject prints it; RFC 4514 writes the most specific first, and the reverse never matches: write "${respelt}", unless ${howToPrintSubject} prints it as it is here`;
  }
  for (const { typeText, valueText } of readWrittenName(text).flat()) {
    if (valueText === "") {
      yield `${path} has an empty value for ${typeText}: it matches only a certificate in which that value is empty`;
    }
    if (/^(?:mail|rfc822Mailbox)$/i.test(typeText)) {
      yield `${path} has mail, which is 0.9.2342.19200300.100.1.3 (RFC 4524): the e-mail address in a certificate's subject is nearly always emailAddress, 1.2.840.113549.1.9.1`;
    }
    if (/^SN$/i.test(typeText) && /\d/.test(valueText)) {
      yield `${path} has SN, which is the surname (RFC 4519): for a serial number write serialNumber`;
    }
  }
}
