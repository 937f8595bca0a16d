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

/** What a refusal that is made beside `authorize` tells; its realm, unless given, is the resource server's own. */
export interface RefuseDetails extends Omit<RefusalDetails, "evidence" | "issuer"> {
  /** The token that was let in and does not cover the scopes. */
  readonly accessToken?: AccessToken | undefined;
}

/** What stands in front of an API, as `createResourceServer` makes it: token and certificate in, decision out. */
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
  /**
   * Makes the refusal of a request that cannot be put to `authorize`, or fails behind it, and tells `onDecision`: for
   * what adapts a framework.
   *
   * @example if (authorization === undefined) throw resourceServer.refuse("credentials_missing")
   */
  refuse(
    code: "credentials_missing" | "request_malformed" | "scope_insufficient",
    details?: RefuseDetails,
  ): AccessTokenRefused;
  /**
   * Asks every issuer once, about a token that nobody has: a first check at the start of a program.
   *
   * Rejects with {@link SetupFailure}, whose message says what is wrong and which option to look at. An issuer whose
   * tokens are JWTs that are checked here is not asked.
   *
   * @example await resourceServer.warmUp()
   */
  warmUp(): Promise<void>;
  /** Forgets all answers and closes the connections that it opened itself. */
  close(): Promise<void>;
}

/** RFC 6749 A.12 allows these characters; 16 KiB is far above any token in use. */
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
 * Opens a resource server with these clocks where the options name none; see `createResourceServer`.
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
        "A token names the APIs that it is meant for (aud), and this resource server does not know its own name: " +
        "tokens meant for others are let in. Set the option `resource`.",
    });
  };
  const { schedule } = clocks;
  const parts = { clock, monotonicClock, schedule, ownResources, audienceUnchecked, warn };
  const issuers = resolved.issuers.map((one) => openIssuer(one, parts));
  const choose = chooseAmong(issuers);
  const names = issuers.map(({ name }) => name);
  const ofNoIssuer = unknown("the token can be one of no issuer here", {
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
        // Anything else is no decision: a wrong argument, or the end of this request's waiting.
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

/** What is wrong with the request whatever anyone knows of the token. */
function defectOf(request: AuthorizeRequest): Verdict | undefined {
  if (isMalformedRequest(request.certificate)) return twoCertificates;
  return token.test(request.token) ? undefined : notAToken;
}

/** Throws a `TypeError` with a `code` for what neither a source nor `readCertificate` has made. */
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

/** Whoever throws a failure need not know how the resource server calls the issuer. */
function withIssuer(failure: IntrospectionUnavailable | IntrospectionMalformed, issuer: string | undefined): Diagnosis {
  if (failure.diagnosis.issuer !== issuer) failure.diagnosis = Object.freeze({ ...failure.diagnosis, issuer });
  return failure.diagnosis;
}

/** For the operator's log: which header is to be looked into, or which peer has sent it (RFC 9440 §4). */
function reasonUnreadable(certificate: CertificateOfConnection): string | undefined {
  if (certificate === undefined || !("unreadable" in certificate)) return undefined;
  return `the certificate of the connection cannot be read: ${certificate.unreadable.replaceAll("_", " ")}`;
}

/**
 * Creates what stands in front of an API: token and certificate in, decision out (RFC 8705 §3).
 *
 * Without further options only certificate-bound tokens are let in, and none is let in later than 2 s (`timeout`) after
 * its revocation was acknowledged while the backend's stream of events is whole, 10 s (`cache.ttl`) while it is not.
 * Throws a `TypeError` with a `code` for wrong options.
 *
 * @example const api = createResourceServer({ backend: { baseUrl, serviceId, credentials: { apiSecret } } })
 * const { sub } = await api.authorize({ token, certificate, requirement: { scopes: ["read"] } })
 */
export function createResourceServer(options: ResourceServerOptions): ResourceServer {
  return openResourceServer(options, { clock: Date.now, monotonicClock: () => performance.now() });
}
