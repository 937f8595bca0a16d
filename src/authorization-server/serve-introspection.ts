import { createHash, timingSafeEqual } from "node:crypto";
import type {
  StandardIntrospectionRequest,
  StandardIntrospectionResponse,
} from "../contract/auth-introspection-standard.ts";
import type { Operations } from "../contract/operations.ts";
import { readBasicCredentials } from "../oauth/authorization-header.ts";
import { readForm } from "../oauth/form.ts";
import { askBackend, onBehalfOf, tellFailure, tryLater, type OnBackendFailure } from "./ask-backend.ts";
import {
  answer,
  oauthErrorAnswer,
  quotedRealm,
  refuseUnlessForm,
  type Endpoint,
  type EndpointRequest,
} from "./endpoint.ts";
import { tellRefusal, type OnClientRefusal } from "./tell-refusal.ts";

/** An authenticated resource server. With `rsUri`, its own URI, tokens for other resource servers are inactive. */
export interface ResourceServerIdentity {
  readonly rsUri?: string;
  /** The algorithm of its signed responses; default: RS256 (RFC 9701 §6, `introspection_signed_response_alg`). */
  readonly introspectionSignAlg?: NonNullable<StandardIntrospectionRequest["introspectionSignAlg"]>;
}

/** Authenticates the resource server of a request; `undefined` if it fails to (RFC 7662 §2.1). */
export type AuthenticateResourceServer = (
  request: EndpointRequest,
) => ResourceServerIdentity | undefined | Promise<ResourceServerIdentity | undefined>;

/** The options of `introspectionEndpoint`. */
export interface IntrospectionEndpointOptions {
  readonly backend: Pick<Operations, "authIntrospectionStandard">;
  readonly authenticate: AuthenticateResourceServer;
  readonly realm: string;
  readonly onBackendFailure?: OnBackendFailure;
  /** Called with the reason for each rejected request; the client does not learn it. */
  readonly onRefusal?: OnClientRefusal;
}

/** The status for each action (Authlete's API). */
const statusOf = { OK: 200, JWT: 200, BAD_REQUEST: 400, INTERNAL_SERVER_ERROR: 500 } satisfies Record<
  StandardIntrospectionResponse["action"],
  number
>;
/** RFC 9701 §5. */
const signed = { "content-type": "application/token-introspection+jwt" };

/**
 * Creates the introspection endpoint (RFC 7662 §2), for authenticated resource servers only. A resource server with an
 * `rsUri` gets a signed response if it asks for one (RFC 9701).
 *
 * @example introspectionEndpoint({ backend, realm, authenticate: basicResourceServers([{ id, secret, rsUri }]) })
 */
export function introspectionEndpoint(options: IntrospectionEndpointOptions): Endpoint {
  return async (request) => {
    const refusal = refuseUnlessForm(request);
    if (refusal !== undefined) return refusal;
    let resourceServer: ResourceServerIdentity | undefined;
    try {
      resourceServer = readIdentity(await options.authenticate(request));
    } catch (error) {
      tellFailure(options.onBackendFailure, error);
      return tryLater();
    }
    if (resourceServer === undefined) {
      const resultMessage = "The resource server is unknown or its credentials are wrong.";
      tellRefusal(options.onRefusal, "introspection", request, { action: "INVALID_CLIENT", resultMessage });
      const challenge = { "www-authenticate": `Basic ${quotedRealm(options.realm)}` };
      return oauthErrorAnswer(401, "invalid_client", "The resource server could not be authenticated.", challenge);
    }
    if (namesAnother(request)) {
      return oauthErrorAnswer(
        400,
        "invalid_request",
        "The credentials and client_id name two different resource servers.",
      );
    }
    const { rsUri, introspectionSignAlg } = resourceServer;
    return askBackend(
      () =>
        options.backend.authIntrospectionStandard(
          {
            parameters: request.body,
            ...(rsUri !== undefined && { rsUri }),
            ...(introspectionSignAlg !== undefined && { introspectionSignAlg }),
            ...(request.accept !== undefined && { httpAcceptHeader: request.accept }),
          },
          onBehalfOf(request),
        ),
      options.onBackendFailure,
      (response) => {
        const { action, responseContent } = response;
        tellRefusal(options.onRefusal, "introspection", request, response);
        return answer(statusOf[action], responseContent ?? "", action === "JWT" ? signed : {});
      },
    );
  };
}

/** Throws for a malformed identity such as `false`, so that a mistake authenticates nobody. */
function readIdentity(answered: unknown): ResourceServerIdentity | undefined {
  if (answered === undefined) return undefined;
  if (typeof answered !== "object" || answered === null || Array.isArray(answered)) {
    throw new Error("authenticate returned neither a resource server nor undefined.");
  }
  const { rsUri, introspectionSignAlg } = answered as ResourceServerIdentity;
  for (const value of [rsUri, introspectionSignAlg] as unknown[]) {
    if (value !== undefined && typeof value !== "string") {
      throw new Error("authenticate returned a resource server whose rsUri or introspectionSignAlg is not a string.");
    }
  }
  return answered;
}

/** Whether the form has a `client_id` other than the user id of the Basic credentials (RFC 6749 §2.3.1, §5.2). */
function namesAnother({ authorization, body }: EndpointRequest): boolean {
  if (authorization === undefined) return false;
  const credentials = readBasicCredentials(authorization, { formDecoded: true });
  const form = readForm(body, { repeatable: "any" });
  // The backend rejects malformed forms.
  if ("error" in credentials || "error" in form) return false;
  return form.getAll("client_id").some((clientId) => clientId !== credentials.userId);
}

/**
 * Authenticates resource servers by Basic credentials, form-encoded like a client's (RFC 6749 §2.3.1).
 *
 * @example basicResourceServers([{ id: "api", secret, rsUri: "https://api.example.com" }])
 */
export function basicResourceServers(
  known: readonly (ResourceServerIdentity & { readonly id: string; readonly secret: string })[],
): AuthenticateResourceServer {
  return ({ authorization }) => {
    if (authorization === undefined) return undefined;
    const credentials = readBasicCredentials(authorization, { formDecoded: true });
    if ("error" in credentials) return undefined;
    return known.find(({ id, secret }) => id === credentials.userId && isSame(secret, credentials.password));
  };
}

function isSame(a: string, b: string): boolean {
  return timingSafeEqual(createHash("sha256").update(a).digest(), createHash("sha256").update(b).digest());
}
