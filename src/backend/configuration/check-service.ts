import type { ServiceSettings } from "../engine/settings/settings.ts";
import { checkAnchors } from "./explain-certificate.ts";
import { checkClient } from "./check-client.ts";
import { checkSigningKeys } from "./check-signing-keys.ts";
import type { ConfiguredService } from "./configuration.ts";
import type { Problem } from "./configuration-error.ts";
import type { ResolvedService } from "./resolve-configuration.ts";

/** The requirements of a service beyond its shape, clients included; `at` is its path in the file. */
export function* checkService(
  { settings, clients, frontEndValidatesPkiCertChain }: ResolvedService,
  at: string,
): Generator<Problem> {
  if (!settings.mutualTlsValidatePkiCertChain && !frontEndValidatesPkiCertChain) {
    yield {
      path: `${at}.mutualTlsValidatePkiCertChain`,
      sentence:
        "is false: then nobody checks client certificates, unless frontEndValidatesPkiCertChain: true says that the front end does",
    };
  }
  yield* checkAnchors(settings.trustedRootCertificates, at);
  yield* checkSecrets(settings, at);
  yield* checkSigningKeys(settings, clients, at);
  yield* checkAudiences(settings, clients, at);
  yield* repeated(settings.mtlsEndpointAliases, ({ name }) => name, `${at}.mtlsEndpointAliases`, "name");
  yield* repeated(settings.supportedScopes, ({ name }) => name, `${at}.supportedScopes`, "name");
  yield* repeated(clients, ({ clientId }) => clientId, `${at}.clients`, "clientId");
  yield* repeated(clients, ({ clientIdAlias }) => clientIdAlias, `${at}.clients`, "clientIdAlias");
  for (const [index, client] of clients.entries()) yield* checkClient(client, settings, `${at}.clients[${index}]`);
}

/** Two services cannot answer to one apiKey. */
export function checkServiceIds(services: readonly ConfiguredService[]): Iterable<Problem> {
  return repeated(services, ({ settings }) => settings.apiKey, "services", "apiKey");
}

function* checkSecrets({ accessTokens }: ServiceSettings, at: string): Generator<Problem> {
  for (const [index, token] of accessTokens.entries()) {
    const rest = /^[A-Za-z0-9._~+/-]+=*/.exec(token)?.[0].length ?? 0;
    if (rest === token.length && rest > 0) continue;
    const sentence = `holds a character that no Bearer token may have (RFC 6750 §2.1), at character ${rest + 1}`;
    yield { path: `${at}.serviceAccessTokens[${index}]`, sentence };
  }
}

/** RFC 9068 §5: a token for one resource must not be usable at another. */
function* checkAudiences(
  { defaultResources, supportedResources = [] }: ServiceSettings,
  clients: ResolvedService["clients"],
  at: string,
): Generator<Problem> {
  yield* repeated(defaultResources, (uri) => uri, `${at}.defaultResources`);
  yield* repeated(supportedResources, (uri) => uri, `${at}.supportedResources`);
  const resources = new Set<string | undefined>([...defaultResources, ...supportedResources]);
  for (const [index, { clientIdAlias }] of clients.entries()) {
    if (clientIdAlias === undefined || !resources.has(clientIdAlias)) continue;
    const sentence = "is a resource of the service: an ID token would have the audience of an access token";
    yield { path: `${at}.clients[${index}].clientIdAlias`, sentence };
  }
}

function* repeated<Entry>(
  entries: readonly Entry[],
  read: (entry: Entry) => string | number | undefined,
  at: string,
  member?: string,
): Generator<Problem> {
  const first = new Map<string | number, number>();
  for (const [index, entry] of entries.entries()) {
    const value = read(entry);
    if (value === undefined) continue;
    const before = first.get(value);
    if (before === undefined) first.set(value, index);
    else if (member === undefined) yield { path: `${at}[${index}]`, sentence: `is the same as ${at}[${before}]` };
    else yield { path: `${at}[${index}].${member}`, sentence: `is the same as that of ${at}[${before}]` };
  }
}
