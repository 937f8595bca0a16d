import type { Context } from "../context.ts";
import { type IssuerKeys, KeysUnusable, sharedSecret, signatureDefect } from "../../../jose/verify-signature.ts";
import { readCompactJwt } from "../../../oauth/compact-jwt.ts";
import {
  isSameAlgorithm,
  type MacAlgorithm,
  macAlgorithms,
  signingAlgorithms,
} from "../../../oauth/registered-names.ts";
import { tokenDigest } from "../../../oauth/token-digest.ts";
import { runTwiceAtMost } from "../answer/run-decided.ts";
import type { Dependencies } from "../dependencies.ts";
import type { Client } from "../settings/service-and-client.ts";
import type { AssertionAlgorithm, ClientSettings } from "../settings/settings.ts";
import { type AssertionClaims, checkAssertion, jwtBearer } from "./client-assertion.ts";
import { authenticated, type ClientAuthentication, type Evidence, notAuthenticated } from "./client-authentication.ts";
import { askClientKeys, verifiersOf } from "./client-keys.ts";

/** RFC 7518 §3.2: a secret has at least as many octets as the hash. */
const octetsNeeded = { HS256: 32, HS384: 48, HS512: 64 } as const satisfies Record<MacAlgorithm, number>;

/**
 * The algorithms that a client's assertions may have: the registered one, else all algorithms of its method.
 *
 * @example assertionAlgorithms({ tokenAuthMethod: "PRIVATE_KEY_JWT", tokenAuthSignAlg: "ES256" }) // ["ES256"]
 */
function assertionAlgorithms(
  client: Pick<ClientSettings, "tokenAuthMethod" | "tokenAuthSignAlg" | "clientSecret">,
): readonly AssertionAlgorithm[] {
  const { tokenAuthSignAlg } = client;
  const fitting = ofMethod(client);
  return tokenAuthSignAlg === undefined
    ? fitting
    : fitting.filter((algorithm) => isSameAlgorithm(algorithm, tokenAuthSignAlg));
}

function ofMethod({
  tokenAuthMethod,
  clientSecret = "",
}: Pick<ClientSettings, "tokenAuthMethod" | "clientSecret">): readonly AssertionAlgorithm[] {
  if (tokenAuthMethod === "PRIVATE_KEY_JWT") return signingAlgorithms;
  if (tokenAuthMethod !== "CLIENT_SECRET_JWT") return [];
  const octets = Buffer.byteLength(clientSecret);
  return macAlgorithms.filter((algorithm) => octets >= octetsNeeded[algorithm]);
}

/**
 * `private_key_jwt` and `client_secret_jwt` (RFC 7523 §2.2, OpenID Connect Core §9): an assertion that the client
 * signed with its own key, or with its secret, for this authorization server, now, and once.
 *
 * Everything that costs nothing is checked first; the assertion counts as used only when all else is right.
 */
export async function authenticateByAssertion(
  client: Client,
  evidence: Evidence,
  context: Context,
): Promise<ClientAuthentication> {
  const { service } = context;
  const { form } = evidence;
  const type = form.get("client_assertion_type");
  const assertion = form.get("client_assertion");
  if (type === undefined) return notAuthenticated("A157309");
  if (type !== jwtBearer) return notAuthenticated("A157310");
  if (assertion === undefined) return notAuthenticated("A157311");
  const jwt = readCompactJwt(assertion);
  if (jwt === undefined) return notAuthenticated("A157312");
  const algorithms = assertionAlgorithms(client.settings);
  const now = context.clock();
  const claims = checkAssertion(jwt, { client, service, endpoint: evidence.endpoint, algorithms, now });
  if ("authenticated" in claims) return claims;
  const refusal = await checkSignature(client, assertion, algorithms, context);
  if (refusal !== undefined) return refusal;
  return useOnce(client, claims, evidence, context);
}

/** `undefined`: it is the client's. */
async function checkSignature(
  client: Client,
  assertion: string,
  algorithms: readonly string[],
  { remoteJwks }: Dependencies,
): Promise<ClientAuthentication | undefined> {
  const { tokenAuthMethod, clientSecret, jwks, jwksUri } = client.settings;
  let refusal: ClientAuthentication | undefined;
  async function isVerifiedBy(keys: () => IssuerKeys): Promise<boolean> {
    refusal = await signatureRefusal(assertion, keys, algorithms);
    return refusal === undefined;
  }
  if (tokenAuthMethod === "CLIENT_SECRET_JWT") {
    if (clientSecret === undefined) return notAuthenticated("A157325");
    await isVerifiedBy(() => sharedSecret(clientSecret));
  } else {
    if (jwks === undefined && jwksUri === undefined) return notAuthenticated("A157325");
    await askClientKeys(client, remoteJwks, (keys) => isVerifiedBy(() => verifiersOf(keys)));
  }
  return refusal;
}

async function signatureRefusal(
  assertion: string,
  keys: () => IssuerKeys,
  algorithms: readonly string[],
): Promise<ClientAuthentication | undefined> {
  try {
    const defect = await signatureDefect(assertion, keys(), algorithms);
    return defect === undefined ? undefined : notAuthenticated("A157326", defect);
  } catch (error) {
    if (error instanceof KeysUnusable) return notAuthenticated("A157325", error.message);
    throw error;
  }
}

/** A separate command: if two requests bring the same assertion, at any nodes, one is refused (RFC 7523 §3). */
async function useOnce(
  { settings }: Client,
  { jti, refusedFrom }: AssertionClaims,
  { attempt }: Evidence,
  { store, service }: Context,
): Promise<ClientAuthentication> {
  const outcome = await runTwiceAtMost(store, {
    name: "use-assertion",
    attempt,
    serviceId: service.settings.apiKey,
    clientId: settings.clientId,
    digest: tokenDigest(jti),
    expiresAt: refusedFrom,
  });
  return outcome === "done" ? authenticated : notAuthenticated("A157324");
}
