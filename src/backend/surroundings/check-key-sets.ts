import type { ClientSettings } from "../engine/settings/settings.ts";
import type { ConfiguredService } from "../configuration/configuration.ts";
import { defectForAssertions, defectForCertificates, readKeySet } from "../configuration/key-algorithms.ts";
import { warning, type Finding } from "./finding.ts";

/** Fetches a JWK Set; rejects with an error whose message has the reason and names no URL. */
export type FetchKeySet = (uri: string) => Promise<object>;

/** URLs asked at once. */
const atOnce = 8;

/** URLs asked at all; with two seconds for each this is ten seconds at most. */
const mostUris = 40;

/**
 * Fetches each client's key set once, as the backend will; every failure is a warning.
 *
 * @example await checkKeySets(configuration.services, (uri) => fetchKeySet(uri, limits))
 */
export async function checkKeySets(
  services: readonly ConfiguredService[],
  fetchKeySet: FetchKeySet,
): Promise<readonly Finding[]> {
  const clients = services.flatMap((service, index) =>
    service.clients.flatMap((client, position) =>
      usesRemoteKeys(client) ? [{ client, at: `services[${index}].clients[${position}].jwksUri` }] : [],
    ),
  );
  const uris = [...new Set(clients.map(({ client }) => client.jwksUri))];
  const answers = new Map<string, object>();
  const waiting = uris.slice(0, mostUris);
  async function askInTurn(): Promise<void> {
    for (let uri = waiting.shift(); uri !== undefined; uri = waiting.shift()) {
      answers.set(
        uri,
        await fetchKeySet(uri).catch((error: unknown) => (error instanceof Error ? error : new Error("it failed"))),
      );
    }
  }
  await Promise.all(Array.from({ length: atOnce }, askInTurn));
  const found = clients.flatMap(({ client, at }): Finding[] => {
    const answer = answers.get(client.jwksUri);
    const sentence = answer && sentenceOf(answer, client);
    return sentence === undefined ? [] : [warning(at, sentence)];
  });
  const others = uris.length - mostUris;
  return others > 0
    ? [...found, warning("jwksUri", `is at more than ${mostUris} URLs: ${others} were not asked`)]
    : found;
}

function usesRemoteKeys(client: ClientSettings): client is ClientSettings & { readonly jwksUri: string } {
  const { tokenAuthMethod: method } = client;
  return client.jwksUri !== undefined && (method === "PRIVATE_KEY_JWT" || method === "SELF_SIGNED_TLS_CLIENT_AUTH");
}

function sentenceOf(answer: object, { tokenAuthMethod, tokenAuthSignAlg }: ClientSettings): string | undefined {
  if (answer instanceof Error) {
    return `gives no key set now, so the client cannot authenticate: ${answer.message}${codeOf(answer.cause)}`;
  }
  const keys = readKeySet(JSON.stringify(answer));
  if (keys === undefined) return "gives keys without a kty or with members of a wrong type";
  return tokenAuthMethod === "PRIVATE_KEY_JWT"
    ? defectForAssertions(keys, tokenAuthSignAlg)
    : defectForCertificates(keys);
}

/** The system's own word for what happened on the way, such as ECONNREFUSED or CERT_HAS_EXPIRED. */
function codeOf(cause: unknown): string {
  const { code } = (cause ?? {}) as { readonly code?: unknown };
  return typeof code === "string" ? ` (${code})` : "";
}
