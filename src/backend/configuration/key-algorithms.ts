import { createPublicKey, type KeyObject } from "node:crypto";
import { z } from "zod";
import { algorithmsOfKey } from "../../jose/algorithms-of-key.ts";
import { isSameAlgorithm, type SigningAlgorithm } from "../../oauth/registered-names.ts";

const jwk = z.looseObject({
  kty: z.string(),
  kid: z.string().optional(),
  alg: z.string().optional(),
  use: z.string().optional(),
  key_ops: z.array(z.string()).optional(),
  x5c: z.array(z.string()).optional(),
});
const jwkSet = z.looseObject({ keys: z.array(jwk) });

/** A key of a JWK Set (RFC 7517 §4), with the members that are looked at. */
export type Jwk = z.infer<typeof jwk>;

/** The keys of a JWK Set; `undefined` for another text. */
export function readKeySet(text: string): readonly Jwk[] | undefined {
  try {
    return jwkSet.safeParse(JSON.parse(text)).data?.keys;
  } catch {
    return undefined;
  }
}

/**
 * Why a text is not a JWK Set (RFC 7517 §5), by the place in it and never by its words; `undefined` when it is one.
 *
 * @example explainKeySet('{"keys":[{}]}') // "its keys[0].kty is missing"
 */
function explainKeySet(text: string): string | undefined {
  if (text.trim() === "") return "it is empty";
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return `it is not JSON${placeOf(error)}`;
  }
  const [issue] = jwkSet.safeParse(value).error?.issues ?? [];
  if (issue === undefined) return undefined;
  const isKey = typeof value === "object" && value !== null && "kty" in value;
  if (issue.path[0] === "keys" && isKey) return 'it is one JWK: put it into {"keys": […]}';
  const place = issue.path.reduce<string>(
    (before, step) => (typeof step === "number" ? `${before}[${step}]` : `${before}${before && "."}${String(step)}`),
    "",
  );
  return place === "" ? "it is not a JSON object" : `its ${place} is missing or of a wrong type`;
}

/** The sentence for a text that is not a JWK Set; `more` names further requirements of its keys. */
export function notAKeySet(text: string, more = ""): string {
  const reason = explainKeySet(text);
  return `is not a JWK Set${more} as JSON text (RFC 7517 §5)${reason === undefined ? "" : `: ${reason}`}`;
}

/** Of V8's message nothing but the numbers: the rest quotes the text. */
function placeOf(error: unknown): string {
  const { message } = error as SyntaxError;
  if (message.startsWith("Unexpected end")) return ": it ends too early";
  const [, line, column] = /\(line (\d+) column (\d+)\)/.exec(message) ?? [];
  return line === undefined ? "" : `, at line ${line}, column ${column}`;
}

/** The public half of a key; `undefined` for an invalid key, because node:crypto's message may quote it. */
export function readPublicKey(key: Jwk): KeyObject | undefined {
  try {
    return createPublicKey({ key: key, format: "jwk" });
  } catch {
    return undefined;
  }
}

function algorithmsToVerify(key: Jwk): readonly SigningAlgorithm[] {
  const publicKey = key.kty === "oct" ? undefined : readPublicKey(key);
  return publicKey === undefined ? [] : algorithmsOfKey(key, publicKey, "verify");
}

/** Why no key of a set could verify a client's assertions by `algorithm`, or by any; `undefined`: one could. */
export function defectForAssertions(keys: readonly Jwk[], algorithm: string | undefined): string | undefined {
  const usable = keys.flatMap(algorithmsToVerify);
  const fits = usable.some((one) => algorithm === undefined || isSameAlgorithm(one, algorithm));
  return fits ? undefined : `has no key for signatures by ${algorithm ?? "RS, PS, ES or EdDSA"}`;
}

/** Why a set registers no certificate (RFC 8705 §2.2.2); `undefined` if it registers one. */
export function defectForCertificates(keys: readonly Jwk[]): string | undefined {
  const registers = keys.some(({ x5c }) => x5c !== undefined);
  return registers ? undefined : "has no key with x5c: no certificate could ever count";
}
