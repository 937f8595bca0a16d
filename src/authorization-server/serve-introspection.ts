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

/** A resource server that may introspect; `rsUri` is its own URI, and tokens for others are then inactive to it. */
export interface ResourceServerIdentity {
  readonly rsUri?: string;
  /** What its signed answers are signed with; default: RS256 (RFC 9701 §6, `introspection_signed_response_alg`). */
  readonly introspectionSignAlg?: NonNullable<StandardIntrospectionRequest["introspectionSignAlg"]>;
}

/** Says which resource server asks, or `undefined` when it has not proved to be one (RFC 7662 §2.1). */
export type AuthenticateResourceServer = (
  request: EndpointRequest,
) => ResourceServerIdentity | undefined | Promise<ResourceServerIdentity | undefined>;

/** The options of `introspectionEndpoint`. */
export interface IntrospectionEndpointOptions {
  readonly backend: Pick<Operations, "authIntrospectionStandard">;
  readonly authenticate: AuthenticateResourceServer;
  readonly realm: string;
  readonly onBackendFailure?: OnBackendFailure;
  /** Called for each refused request, with the reason, which the client does not get. */
  readonly onRefusal?: OnClientRefusal;
}

/** What each action becomes (Authlete's API). */
const statusOf = { OK: 200, JWT: 200, BAD_REQUEST: 400, INTERNAL_SERVER_ERROR: 500 } satisfies Record<
  StandardIntrospectionResponse["action"],
  number
>;
/** RFC 9701 §5. */
const signed = { "content-type": "application/token-introspection+jwt" };

/**
 * The introspection endpoint (RFC 7662 §2): nobody learns anything without proving to be a resource server. One that
 * has an `rsUri` and asks for it gets a signed answer (RFC 9701).
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

/** Nobody is let in by a slip: `false`, for example, is no identity, and `undefined` alone is nobody's. */
function readIdentity(answered: unknown): ResourceServerIdentity | undefined {
  if (answered === undefined) return undefined;
  if (typeof answered !== "object" || answered === null || Array.isArray(answered)) {
    throw new Error("authenticate answered neither a resource server nor undefined.");
  }
  const { rsUri, introspectionSignAlg } = answered as ResourceServerIdentity;
  for (const value of [rsUri, introspectionSignAlg] as unknown[]) {
    if (value !== undefined && typeof value !== "string") {
      throw new Error("authenticate answered a resource server whose rsUri or introspectionSignAlg is no text.");
    }
  }
  return answered;
}

/** Whether the form has a `client_id` that is not the user of the Basic credentials (RFC 6749 §2.3.1, §5.2). */
function namesAnother({ authorization, body }: EndpointRequest): boolean {
  if (authorization === undefined) return false;
  const credentials = readBasicCredentials(authorization, { formDecoded: true });
  const form = readForm(body, { repeatable: "any" });
  // The backend refuses what is not a form.
  if ("error" in credentials || "error" in form) return false;
  return form.getAll("client_id").some((clientId) => clientId !== credentials.userId);
}

/**
 * Resource servers that prove themselves by Basic credentials, form-encoded like a client's (RFC 6749 §2.3.1).
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
