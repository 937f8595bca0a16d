import type { ClientSettings, ServiceSettings } from "../engine/settings/settings.ts";
import type { ClientMembers, ServiceMembers } from "./service-members.ts";
import type { ConfigurationFile, ListenMembers } from "./configuration-file.ts";
import type { Configuration, ConfiguredService, Listen } from "./configuration.ts";
import type { ReferenceReader } from "./references.ts";

const keyLength = 32;

/**
 * Reads the key of secrets at rest: 32 octets as 64 hexadecimal digits, or as base64 or base64url.
 *
 * `undefined` for anything else, also for base64 in a spelling that no encoder writes.
 *
 * @example readSecretKey("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc")
 */
function readSecretKey(text: string): Uint8Array | undefined {
  if (/^[0-9A-Fa-f]{64}$/.test(text)) return Buffer.from(text, "hex");
  const key = Buffer.from(text, "base64");
  const spellings = [key.toString("base64"), key.toString("base64").replace(/=+$/, ""), key.toString("base64url")];
  return key.length === keyLength && spellings.includes(text) ? key : undefined;
}

const defaultHost = "127.0.0.1";
const defaultPort = 8705;

/** The store that is gone when the process ends. */
export const inMemory = ":memory:";

/** The file with everything that it refers to; not checked yet. */
export interface ResolvedConfiguration extends Omit<Configuration, "services" | "warnings"> {
  readonly services: readonly ResolvedService[];
}

/** With the operator's assurance, which only the checks need. */
export interface ResolvedService extends ConfiguredService {
  readonly frontEndValidatesPkiCertChain: boolean;
}

/**
 * Replaces references by their values. A missing value is left empty and reported in `references.problems`; the result
 * may only be used when there are no problems.
 */
export async function resolveConfiguration(
  file: ConfigurationFile,
  references: ReferenceReader,
): Promise<ResolvedConfiguration> {
  const { sqlite } = file.store;
  const secretKey = file.secretKey === undefined ? undefined : await references.secret(file.secretKey, "secretKey");
  const listen = await resolveListen(file.listen, references);
  const services: ResolvedService[] = [];
  for (const [index, service] of file.services.entries()) {
    services.push(await resolveService(service, `services[${index}]`, references));
  }
  return {
    listen,
    store: { sqlite: sqlite === inMemory ? inMemory : references.path(sqlite) },
    secretKey: secretKey === undefined ? undefined : readSecretKey(secretKey),
    log: file.log,
    events: file.events,
    sweep: file.sweep,
    services,
  };
}

async function resolveListen(listen: ListenMembers, references: ReferenceReader): Promise<Listen> {
  const { unix, host = defaultHost, port = defaultPort, tls, behindTls = false } = listen;
  if (unix !== undefined) return { unix: references.path(unix) };
  if (tls === undefined) return { host, port, behindTls };
  const certificate = await references.text(tls.certificate, "listen.tls.certificate");
  const key = await references.secretText(tls.key, "listen.tls.key");
  return { host, port, behindTls, tls: { certificate, key, minVersion: tls.minVersion } };
}

async function resolveService(
  members: ServiceMembers,
  at: string,
  references: ReferenceReader,
): Promise<ResolvedService> {
  const { clients, serviceAccessTokens, frontEndValidatesPkiCertChain, jwks, ...plain } = members;
  const settings: ServiceSettings = {
    ...plain,
    apiSecret: await references.secret(plain.apiSecret, `${at}.apiSecret`),
    accessTokens: await inOrder(serviceAccessTokens, (token, index) =>
      references.secret(token, `${at}.serviceAccessTokens[${index}]`),
    ),
    trustedRootCertificates: await resolveAnchors(plain.trustedRootCertificates, at, references),
    ...(jwks !== undefined && { jwks: await references.secretText(jwks, `${at}.jwks`) }),
  };
  return {
    settings,
    frontEndValidatesPkiCertChain,
    clients: await inOrder(clients, (client, index) => resolveClient(client, `${at}.clients[${index}]`, references)),
  };
}

async function resolveClient(members: ClientMembers, at: string, references: ReferenceReader): Promise<ClientSettings> {
  const { clientSecret, trustedRootCertificates, jwks, ...plain } = members;
  return {
    ...plain,
    ...(clientSecret && { clientSecret: await references.secret(clientSecret, `${at}.clientSecret`) }),
    ...(trustedRootCertificates && {
      trustedRootCertificates: await resolveAnchors(trustedRootCertificates, at, references),
    }),
    ...(jwks !== undefined && { jwks: await references.text(jwks, `${at}.jwks`) }),
  };
}

function resolveAnchors(
  anchors: ServiceMembers["trustedRootCertificates"],
  at: string,
  references: ReferenceReader,
): Promise<string[]> {
  return inOrder(anchors, (anchor, index) => references.text(anchor, `${at}.trustedRootCertificates[${index}]`));
}

/** One after the other, so that problems are listed in the order of the file. */
async function inOrder<Entry, Result>(
  entries: readonly Entry[],
  resolve: (entry: Entry, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const [index, entry] of entries.entries()) results.push(await resolve(entry, index));
  return results;
}
