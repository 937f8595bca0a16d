import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { KeySet } from "../engine/dependencies.ts";

/**
 * A client's key set is not available, so the client can be neither accepted nor rejected. The message contains neither
 * the URL nor the response.
 */
export class RemoteJwksFailure extends Error {
  override readonly name = "RemoteJwksFailure";
}

export interface FetchLimits {
  /** Milliseconds for the whole of it, from looking up the name to the last octet. */
  readonly timeout: number;
  /** Octets of the answer's body. */
  readonly mostOctets: number;
  /** PEM texts to trust instead of the system's authorities. */
  readonly ca?: readonly string[];
  /** Ends it early. */
  readonly signal: AbortSignal;
}

/** More keys than anyone rotates through; each may be decoded to find the right one. */
const mostKeys = 100;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Fetches a JWK Set (RFC 7517 §5): one GET without credentials, on a separate connection, without redirects.
 *
 * Rejects with {@link RemoteJwksFailure} for anything that is not a key set within the limits.
 *
 * @example await fetchKeySet("https://client.example.org/jwks", { timeout: 2000, mostOctets: 65_536, signal })
 */
export async function fetchKeySet(uri: string, limits: FetchLimits): Promise<KeySet> {
  const ending = AbortSignal.any([limits.signal, AbortSignal.timeout(limits.timeout)]);
  try {
    return readKeySet(await get(new URL(uri), limits, ending));
  } catch (error) {
    if (error instanceof RemoteJwksFailure) throw error;
    const why = ending.aborted && !limits.signal.aborted ? "it took too long" : "it cannot be reached";
    throw failure(why, error);
  }
}

async function get(url: URL, { mostOctets, ca }: FetchLimits, signal: AbortSignal): Promise<Uint8Array> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { accept: "application/jwk-set+json, application/json", "accept-encoding": "identity" };
    const options = { agent: false, headers, signal } as const;
    const request =
      url.protocol === "https:"
        ? httpsRequest(url, { ...options, ...(ca !== undefined && { ca: [...ca] }) }, resolve)
        : httpRequest(url, options, resolve);
    request.on("error", reject).end();
  });
  try {
    if (answer.statusCode !== 200) throw failure(`its server answered ${answer.statusCode}`);
    if (Number(answer.headers["content-length"] ?? 0) > mostOctets) throw failure("it is too large");
    const chunks: Uint8Array[] = [];
    let octets = 0;
    for await (const chunk of answer as AsyncIterable<Uint8Array>) {
      octets += chunk.length;
      if (octets > mostOctets) throw failure("it is too large");
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } finally {
    answer.destroy();
  }
}

function readKeySet(body: Uint8Array): KeySet {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(body));
  } catch {
    throw failure("it is not JSON");
  }
  const { keys } = isObject(value) ? value : {};
  if (!Array.isArray(keys)) throw failure("it is not a JWK Set");
  if (keys.length > mostKeys) throw failure(`it has more than ${mostKeys} keys`);
  if (!keys.every(isObject)) throw failure("it is not a JWK Set");
  return { keys };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function failure(why: string, cause?: unknown): RemoteJwksFailure {
  return new RemoteJwksFailure(`A client's key set could not be had: ${why}.`, { cause });
}
