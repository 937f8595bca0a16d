import type { Context } from "../context.ts";
import { timingSafeEqual } from "node:crypto";
import { digestOfSecret, type Client } from "../settings/service-and-client.ts";
import type { ClientAuthMethod } from "../settings/settings.ts";
import { authenticateByAssertion } from "./authenticate-by-assertion.ts";
import { authenticated, notAuthenticated, type ClientAuthentication, type Evidence } from "./client-authentication.ts";
import { authenticateByCertificatePath, authenticateByRegisteredCertificate } from "./mutual-tls.ts";

type Method = (
  client: Client,
  evidence: Evidence,
  context: Context,
) => ClientAuthentication | Promise<ClientAuthentication>;

const methods = {
  NONE: authenticateNobody,
  CLIENT_SECRET_BASIC: (client, evidence) =>
    checkSecret(client, evidence.basicSecret, evidence.form.get("client_secret")),
  CLIENT_SECRET_POST: (client, evidence) =>
    checkSecret(client, evidence.form.get("client_secret"), evidence.basicSecret),
  CLIENT_SECRET_JWT: authenticateByAssertion,
  PRIVATE_KEY_JWT: authenticateByAssertion,
  TLS_CLIENT_AUTH: authenticateByCertificatePath,
  SELF_SIGNED_TLS_CLIENT_AUTH: authenticateByRegisteredCertificate,
} satisfies Record<ClientAuthMethod, Method>;

/**
 * Authenticates a client by its one registered method (RFC 6749 §2.3, RFC 8705 §2).
 *
 * Evidence for another method is refused, with the right evidence or without it (RFC 6749 §2.3: one method per
 * request).
 */
export async function authenticateClient(
  client: Client,
  evidence: Evidence,
  context: Context,
): Promise<ClientAuthentication> {
  const { service } = context;
  if (client.settings.locked) return notAuthenticated("A048307");
  const method = client.settings.tokenAuthMethod;
  if (!service.settings.supportedTokenAuthMethods.includes(method)) return notAuthenticated("A157344");
  if (sentAssertion(evidence) && !takesAssertion(method)) return notAuthenticated("A157357");
  if (sentSecret(evidence) && !takesSecret(method)) return notAuthenticated("A157357");
  return methods[method](client, evidence, context);
}

function authenticateNobody(client: Client, evidence: Evidence): ClientAuthentication {
  if (client.settings.clientType !== "PUBLIC") return notAuthenticated("A157301");
  return sentSecret(evidence) ? notAuthenticated("A157303") : authenticated;
}

function checkSecret(
  client: Client,
  presented: string | undefined,
  elsewhere: string | undefined,
): ClientAuthentication {
  if (isGiven(presented) && isGiven(elsewhere)) return notAuthenticated("A158301");
  if (isGiven(elsewhere)) return notAuthenticated("A157357");
  if (!isGiven(presented) || client.secretDigest === undefined) return notAuthenticated("A157304");
  return timingSafeEqual(digestOfSecret(presented), client.secretDigest) ? authenticated : notAuthenticated("A157305");
}

function takesAssertion(method: ClientAuthMethod): boolean {
  return method === "CLIENT_SECRET_JWT" || method === "PRIVATE_KEY_JWT";
}

/** A secret of a public client has a separate code. */
function takesSecret(method: ClientAuthMethod): boolean {
  return method === "CLIENT_SECRET_BASIC" || method === "CLIENT_SECRET_POST" || method === "NONE";
}

function sentSecret({ basicSecret, form }: Evidence): boolean {
  return isGiven(basicSecret) || isGiven(form.get("client_secret"));
}

/** RFC 7521 §4.2. */
function sentAssertion({ form }: Evidence): boolean {
  return form.get("client_assertion") !== undefined || form.get("client_assertion_type") !== undefined;
}

/** An empty secret is no secret: clients without one send it (Authlete's API). */
function isGiven(secret: string | undefined): secret is string {
  return secret !== undefined && secret !== "";
}
