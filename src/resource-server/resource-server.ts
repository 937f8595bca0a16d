import { type CertificateOfConnection, isMalformedRequest } from "../client-certificate/certificate-source.ts";
import { isThumbprint } from "../oauth/confirmation.ts";
import { optionError } from "../options/option-error.ts";
import type { Schedule, ResourceServerClocks } from "./environment.ts";
import type { AccessToken } from "./decision/access-token.ts";
import type { Verdict } from "./decision/decide.ts";
import { readRequirement, type RouteRequirement } from "./decision/read-requirement.ts";
import { chooseAmong, type Issuer, openIssuer } from "./issuer.ts";
import { createDecisionObservers } from "./observers/decision-events.ts";
import { AccessTokenRefused, type RefusalDetails } from "./refusal/access-token-refused.ts";
import { type Diagnosis, type DiagnosisDetails, demandedAndHeld } from "./refusal/diagnosis.ts";
import { IntrospectionMalformed, IntrospectionUnavailable } from "./refusal/introspection-unavailable.ts";
import { resolveResourceServer, type ResourceServerOptions } from "./resource-server-options.ts";
import { checkSetup, createSetupWatch, keepSetupWatch } from "./setup/setup-watch.ts";

/** One request: its token, the certificate of the connection, and the requirement of the route. */
export interface AuthorizeRequest {
  readonly token: string;
  /** From a certificate source or `readCertificate`; `undefined`: no certificate. */
  readonly certificate: CertificateOfConnection;
  readonly requirement?: RouteRequirement | undefined;
  /** The required issuer of the token, if there are several. */
  readonly issuer?: string | undefined;
  /** Ends the waiting of this request only. */
  readonly signal?: AbortSignal | undefined;
  /** Default: the realm of the resource server. */
  readonly realm?: string | undefined;
  /** The URL of the metadata, for the challenge (RFC 9728 §5.1). */
  readonly resourceMetadata?: string | undefined;
}

/** The details of a refusal made without `authorize`; `realm` defaults to the resource server's. */
export interface RefuseDetails extends Omit<RefusalDetails, "evidence" | "issuer"> {
  /** The token that was granted access and does not cover the scopes. */
  readonly accessToken?: AccessToken | undefined;
}

/** Protects an API: decides about requests by token and certificate. Created by `createResourceServer`. */
export interface ResourceServer {
  /** The realm in challenges. */
  readonly realm: string | undefined;
  /**
   * Resolves to the token if it gives access to the resource.
   *
   * Rejects with {@link AccessTokenRefused}, with `IntrospectionUnavailable` or `IntrospectionMalformed` if the token
   * could not be checked, with the signal's reason, and with a `TypeError` for a wrong argument.
   */
  authorize(request: AuthorizeRequest): Promise<AccessToken>;
  /**
   * Creates the refusal of a request that cannot be passed to `authorize`, or that fails after it, and calls
   * `onDecision`; for framework adapters.
   *
   * @example if (authorization === undefined) throw resourceServer.refuse("credentials_missing")
   */
  refuse(
    code: "credentials_missing" | "request_malformed" | "scope_insufficient",
    details?: RefuseDetails,
  ): AccessTokenRefused;
  /**
   * Requests an unknown token from every issuer, as a check at the start of a program.
   *
   * Rejects with {@link SetupFailure}, whose message says what is wrong and which option to check. Sends no request to
   * an issuer whose JWTs are verified here.
   *
   * @example await resourceServer.warmUp()
   */
  warmUp(): Promise<void>;
  /** Clears the cache and closes the connections that it opened. */
  close(): Promise<void>;
}

/** RFC 6749 A.12 allows these characters; 16 KiB is far above any real token. */
const token = /^[\x20-\x7e]{1,16384}$/;
const unknown = (reason: string, evidence: DiagnosisDetails): Verdict => ({
  granted: false,
  code: "token_unknown",
  reason,
  evidence,
  facts: undefined,
});
const notAToken = unknown("the token's text cannot be a token", { check: "credentials" });
const twoCertificates: Verdict = {
  granted: false,
  code: "request_malformed",
  reason: "the request has more than one certificate header",
  evidence: { check: "certificate" },
  facts: undefined,
};

/**
 * Creates a resource server with these clocks, unless the options have others; see `createResourceServer`.
 *
 * @example openResourceServer({ backend }, { clock: Date.now, monotonicClock: () => performance.now() })
 */
export function openResourceServer(
  options: ResourceServerOptions,
  clocks: ResourceServerClocks & { readonly schedule?: Schedule },
): ResourceServer {
  const resolved = resolveResourceServer(options, clocks);
  const { realm, ownResources, warn, clock, monotonicClock } = resolved;
  const observers = createDecisionObservers(resolved.onDecision, { warn, clock, monotonicClock });
  const setup = createSetupWatch({ warn, monotonicClock });
  let warned = false;
  const audienceUnchecked = (): void => {
    if (warned) return;
    warned = true;
    warn({
      code: "CERTBOUND_AUDIENCE_UNCHECKED",
      message:
        "A token has an audience (aud), and this resource server does not know its own name: " +
        "it accepts tokens for other APIs. Set the option `resource`.",
    });
  };
  const { schedule } = clocks;
  const parts = { clock, monotonicClock, schedule, ownResources, audienceUnchecked, warn };
  const issuers = resolved.issuers.map((one) => openIssuer(one, parts));
  const choose = chooseAmong(issuers);
  const names = issuers.map(({ name }) => name);
  const ofNoIssuer = unknown("the token belongs to no configured issuer", {
    check: "issuer",
    expected: demandedAndHeld(
      names.filter((name) => name !== undefined),
      undefined,
    ).expected,
  });

  const refuse: ResourceServer["refuse"] = (code, { accessToken, ...details } = {}) => {
    const tell = observers?.begin();
    const issuer = names.length > 1 ? names.find((name) => name === accessToken?.issuer) : names[0];
    const evidence = accessToken && demandedAndHeld(details.scopes, accessToken.scopes);
    const refusal = new AccessTokenRefused(code, { ...details, realm: details.realm ?? realm, evidence, issuer });
    tell?.({ issuer, accessToken, diagnosis: refusal.diagnosis });
    return refusal;
  };

  const resourceServer: ResourceServer = {
    realm,
    async warmUp() {
      for (const issuer of issuers) await checkSetup(issuer);
    },
    async authorize(request) {
      const { certificate, signal } = request;
      signal?.throwIfAborted();
      if (typeof request.token !== "string") throw optionError("token", "must be text");
      const requirement = readRequirement(request.requirement);
      const tell = observers?.begin();
      const wrong = defectOf(request);
      let verdict = wrong ?? ofNoIssuer;
      let issuer: Issuer | undefined;
      try {
        issuer = wrong === undefined ? choose(request.token, request.issuer) : undefined;
        if (issuer) {
          const presented = checkPresented(certificate);
          verdict = await issuer.decide({ token: request.token, certificate: presented, requirement, signal });
        }
        if (verdict.facts === "asked") setup.works(issuer?.name);
      } catch (error) {
        // Any other error is not a decision: a wrong argument, or an aborted request.
        if (isFailure(error)) {
          setup.failed(issuer, error);
          const diagnosis = withIssuer(error, issuer?.name);
          tell?.({ issuer: issuer?.name, diagnosis });
        }
        throw error;
      }
      if (verdict.granted) {
        tell?.({ ...verdict, issuer: issuer?.name });
        return verdict.accessToken;
      }
      const { code, evidence } = verdict;
      const reason = verdict.reason ?? (code === "certificate_unreadable" ? reasonUnreadable(certificate) : undefined);
      const { resourceMetadata } = request;
      const { scopes } = requirement;
      const details = { realm: request.realm ?? realm, scopes, reason, evidence, resourceMetadata };
      const refusal = new AccessTokenRefused(code, { ...details, issuer: issuer?.name });
      if (verdict.facts !== undefined) setup.judged(refusal);
      tell?.({ ...verdict, issuer: issuer?.name, diagnosis: refusal.diagnosis });
      throw refusal;
    },
    refuse,
    async close() {
      await Promise.all(issuers.map((issuer) => issuer.close()));
    },
  };
  keepSetupWatch(resourceServer, setup);
  return resourceServer;
}

/** Refuses a request that is malformed, whatever is known of the token. */
function defectOf(request: AuthorizeRequest): Verdict | undefined {
  if (isMalformedRequest(request.certificate)) return twoCertificates;
  return token.test(request.token) ? undefined : notAToken;
}

/** Throws a `TypeError` with a `code` for a value that no source and no `readCertificate` returned. */
function checkPresented(certificate: CertificateOfConnection): CertificateOfConnection {
  if (certificate === undefined) return undefined;
  if (typeof certificate === "object" && (certificate as unknown) !== null) {
    if ("unreadable" in certificate || isThumbprint(certificate.x5tS256)) return certificate;
  }
  throw optionError("certificate", "must come from a certificate source or from readCertificate");
}

function isFailure(error: unknown): error is IntrospectionUnavailable | IntrospectionMalformed {
  return error instanceof IntrospectionUnavailable || error instanceof IntrospectionMalformed;
}

/** The code that throws a failure does not know the configured name of the issuer. */
function withIssuer(failure: IntrospectionUnavailable | IntrospectionMalformed, issuer: string | undefined): Diagnosis {
  if (failure.diagnosis.issuer !== issuer) failure.diagnosis = Object.freeze({ ...failure.diagnosis, issuer });
  return failure.diagnosis;
}

/** For the operator's log: which header to check, or which peer sent it (RFC 9440 §4). */
function reasonUnreadable(certificate: CertificateOfConnection): string | undefined {
  if (certificate === undefined || !("unreadable" in certificate)) return undefined;
  return `the certificate of the connection cannot be read: ${certificate.unreadable.replaceAll("_", " ")}`;
}

/**
 * Creates a resource server, which decides about requests by token and certificate (RFC 8705 §3).
 *
 * By default it accepts only certificate-bound tokens, and accepts no token later than 2 s (`timeout`) after its
 * revocation was acknowledged while the backend's stream of events is intact, otherwise 10 s (`cache.ttl`). Throws a
 * `TypeError` with a `code` for wrong options.
 *
 * @example const api = createResourceServer({ backend: { baseUrl, serviceId, credentials: { apiSecret } } })
 * const { sub } = await api.authorize({ token, certificate, requirement: { scopes: ["read"] } })
 */
export function createResourceServer(options: ResourceServerOptions): ResourceServer {
  return openResourceServer(options, { clock: Date.now, monotonicClock: () => performance.now() });
}
