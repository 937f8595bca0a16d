import { hash } from "node:crypto";
import { readCertificates } from "../../../x509/read-certificate.ts";
import { readSubjectExpectation, type SubjectExpectation } from "../../../x509/subject.ts";
import type { StoredClient, StoredService } from "../../store/store.ts";
import type { Dependencies, KeySet } from "../dependencies.ts";
import { readSigningKeys, type SigningKeys } from "./signing-keys.ts";
import type { ClientSettings, ServiceSettings } from "./settings.ts";
import { openClient, openService } from "./sealed-settings.ts";

/** One version of a service, with values that every request would otherwise compute again. */
export interface Service {
  readonly version: number;
  readonly settings: ServiceSettings;
  readonly apiSecretDigest: Uint8Array;
  readonly accessTokenDigests: readonly Uint8Array[];
  /** Trust anchors as DER. */
  readonly anchors: readonly Uint8Array[];
  /** Of `jwks`. */
  readonly signingKeys: SigningKeys;
}

/** A client as of one version. */
export interface Client {
  readonly version: number;
  readonly settings: ClientSettings;
  readonly secretDigest: Uint8Array | undefined;
  readonly subject: SubjectExpectation | undefined;
  /** Of `jwks`. */
  readonly keySet: KeySet | undefined;
  /** Trust anchors of this client's own as DER; `undefined`: the service's count. */
  readonly anchors: readonly Uint8Array[] | undefined;
}

/** Services and clients as stored now. */
export interface Settings {
  service(serviceId: number): Promise<Service | undefined>;
  client(service: Service, by: { clientId: number } | { clientIdAlias: string }): Promise<Client | undefined>;
  /** The client at a version that another read just returned: it is not read again while that version is current. */
  clientAt(service: Service, clientId: number, version: number): Promise<Client | undefined>;
}

const memoSize = 10_000;

/**
 * Reads settings through to the store each time and parses each version once.
 *
 * The version comes with every read, so nothing here can be stale, on any number of nodes.
 */
export function createSettings({ store, secretBox }: Dependencies): Settings {
  const services = createMemo((stored: StoredService) =>
    prepareService(stored.version, openService(stored.serviceId, stored.settings, secretBox)),
  );
  const clients = createMemo((stored: StoredClient, serviceId: number) =>
    prepareClient(stored.version, openClient(serviceId, stored.clientId, stored.settings, secretBox)),
  );
  const client: Settings["client"] = async (service, by) => {
    const serviceId = service.settings.apiKey;
    const stored = await store.readClient(serviceId, by);
    return stored === undefined ? undefined : clients.prepared(`${serviceId}:${stored.clientId}`, stored, serviceId);
  };
  return {
    async service(serviceId) {
      const stored = await store.readService(serviceId);
      return stored === undefined ? undefined : services.prepared(String(serviceId), stored, serviceId);
    },
    client,
    async clientAt(service, clientId, version) {
      const known = clients.latest(`${service.settings.apiKey}:${clientId}`);
      return known?.version === version ? known : client(service, { clientId });
    },
  };
}

/** A bounded memo; for each key it holds the value of the latest requested version. */
function createMemo<Stored extends { version: number }, Value extends { version: number }>(
  prepare: (stored: Stored, serviceId: number) => Value,
) {
  const memo = new Map<string, Value>();
  return {
    latest: (key: string): Value | undefined => memo.get(key),
    prepared(key: string, stored: Stored, serviceId: number): Value {
      const known = memo.get(key);
      if (known?.version === stored.version) return known;
      const value = prepare(stored, serviceId);
      memo.delete(key);
      const oldest = memo.size >= memoSize ? memo.keys().next().value : undefined;
      if (oldest !== undefined) memo.delete(oldest);
      memo.set(key, value);
      return value;
    },
  };
}

function prepareService(version: number, settings: ServiceSettings): Service {
  return {
    version,
    settings,
    apiSecretDigest: digestOfSecret(settings.apiSecret),
    accessTokenDigests: settings.accessTokens.map(digestOfSecret),
    anchors: certificatesIn(settings.trustedRootCertificates),
    signingKeys: readSigningKeys(settings.jwks),
  };
}

function prepareClient(version: number, settings: ClientSettings): Client {
  return {
    version,
    settings,
    secretDigest: settings.clientSecret === undefined ? undefined : digestOfSecret(settings.clientSecret),
    subject: settings.tokenAuthMethod === "TLS_CLIENT_AUTH" ? readSubjectExpectation(settings) : undefined,
    keySet: settings.jwks === undefined ? undefined : (JSON.parse(settings.jwks) as KeySet),
    anchors: settings.trustedRootCertificates && certificatesIn(settings.trustedRootCertificates),
  };
}

/** A file of the operator may hold several. */
const certificatesIn = (files: readonly string[]): readonly Uint8Array[] =>
  files.flatMap((file) => readCertificates(file).map(({ raw }) => raw));

/** Secrets are compared by digest: equal lengths for a comparison in constant time, whatever was sent. */
export function digestOfSecret(secret: string): Uint8Array {
  return hash("sha256", secret, "buffer");
}
