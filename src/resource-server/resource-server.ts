import { optionError } from "../api-client/option-error.ts";
import type { CertificateOfConnection } from "../client-certificate/certificate-source.ts";
import type { AccessToken } from "./access-token.ts";
import { AccessTokenRefused } from "./access-token-refused.ts";
import type { Verdict } from "./decide.ts";
import { chooseAmong, openIssuer } from "./issuer.ts";
import { readRequirement, type RouteRequirement } from "./read-requirement.ts";
import { type Clocks, type ResourceServerOptions, resolveOptions } from "./resource-server-options.ts";

/** One request: the token as it came, the connection's certificate, and what the route demands. */
export interface AuthorizeRequest {
  readonly token: string;
  /** From a certificate source or `readCertificate`; `undefined`: the connection has none. */
  readonly certificate: CertificateOfConnection;
  readonly requirement?: RouteRequirement | undefined;
  /** Whose token it must be, where several issuers stand side by side. */
  readonly issuer?: string | undefined;
  /** Ends this request's waiting, nobody else's. */
  readonly signal?: AbortSignal | undefined;
  /** Instead of the resource server's own. */
  readonly realm?: string | undefined;
  /** The URL that a challenge names (RFC 9728 §5.1). */
  readonly resourceMetadata?: string | undefined;
}

export interface ResourceServer {
  /** The protection space that challenges name. */
  readonly realm: string | undefined;
  /**
   * Resolves to the token when it opens the resource.
   *
   * Rejects with {@link AccessTokenRefused}, with `IntrospectionUnavailable` or `IntrospectionMalformed` when nothing
   * could be found out, with the signal's reason, and with a `TypeError` for a wrong argument.
   */
  authorize(request: AuthorizeRequest): Promise<AccessToken>;
  /** Forgets all answers and closes the connections that it opened itself. */
  close(): Promise<void>;
}

/** RFC 6749 A.12 allows these characters; 16 KiB is far above any token in use. */
const token = /^[\x20-\x7e]{1,16384}$/;
const unknown = (reason: string): Verdict => ({ granted: false, code: "token_unknown", reason, facts: undefined });

/**
 * Opens a resource server with these clocks where the options name none; see `createResourceServer`.
 *
 * @example openResourceServer({ backend }, { clock: Date.now, monotonicClock: () => performance.now() })
 */
export function openResourceServer(options: ResourceServerOptions, clocks: Clocks): ResourceServer {
  const { realm, ownResources, warn, issuers: resolved, clock, monotonicClock } = resolveOptions(options, clocks);
  let warned = false;
  const audienceUnchecked = (): void => {
    if (warned) return;
    warned = true;
    warn({
      code: "CERTBOUND_AUDIENCE_UNCHECKED",
      message:
        "A token names the APIs that it is meant for (aud), and this resource server does not know its own name: " +
        "tokens meant for others are let in. Set the option `resource`.",
    });
  };
  const issuers = resolved.map((one) => openIssuer(one, { clock, monotonicClock, ownResources, audienceUnchecked }));
  const choose = chooseAmong(issuers);

  return {
    realm,
    async authorize(request) {
      const { certificate, signal } = request;
      signal?.throwIfAborted();
      if (typeof request.token !== "string") throw optionError("token", "must be text");
      const requirement = readRequirement(request.requirement);
      const issuer = token.test(request.token) ? choose(request.token, request.issuer) : undefined;
      const verdict =
        issuer === undefined
          ? unknown("the token's text cannot be a token, or one of no issuer here")
          : await issuer.decide({ token: request.token, certificate, requirement, signal });
      if (verdict.granted) return verdict.accessToken;
      const { code, reason } = verdict;
      const { resourceMetadata } = request;
      const { scopes } = requirement;
      throw new AccessTokenRefused(code, { realm: request.realm ?? realm, scopes, reason, resourceMetadata });
    },
    async close() {
      await Promise.all(issuers.map((issuer) => issuer.close()));
    },
  };
}
