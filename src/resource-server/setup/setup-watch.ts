import type { CertificateOfConnection } from "../../client-certificate/certificate-source.ts";
import type { Issuer } from "../issuer.ts";
import type { Warning } from "../environment.ts";
import { causeOf, SetupFailure } from "./setup-cause.ts";

/** A refused request without a readable certificate. */
interface RefusedRequest {
  readonly presented: CertificateOfConnection;
  readonly refusal: { readonly code: string };
  /** Whether the certificate is read from the connection, not from a header. */
  readonly ofConnection: boolean;
  /** Whether this process terminates the TLS connection of the request. */
  readonly encrypted: boolean;
}

/**
 * Warns of mistakes in the set-up: each once, and again if it returns after everything worked, at most once a minute.
 */
export interface SetupWatch {
  /** A request to an issuer failed. */
  failed(issuer: Pick<Issuer, "name" | "option"> | undefined, error: unknown): void;
  /** An issuer has answered. */
  works(issuer: string | undefined): void;
  /** A request had a readable certificate. */
  certificateArrived(): void;
  /** The token of this refusal was checked with its issuer. */
  judged(refusal: object): void;
  refused(request: RefusedRequest): void;
}

const shortestPause = 60_000;

const missing = {
  plain: {
    code: "CERTBOUND_PLAIN_HTTP",
    message:
      "A certificate-bound token was refused, and this server cannot receive certificates, because it uses plain HTTP. " +
      "Serve it with https (requestCert: true, rejectUnauthorized: false), or name the proxy that terminates TLS with the option `certificate`.",
  },
  tls: {
    code: "CERTBOUND_CERTIFICATE_NOT_REQUESTED",
    message:
      "A certificate-bound token was refused, and no connection has had a certificate so far: does this server request one? " +
      "Set requestCert: true and rejectUnauthorized: false on the server.",
  },
  proxy: {
    code: "CERTBOUND_PROXY_SENDS_NO_CERTIFICATE",
    message:
      "A certificate-bound token was refused, and no request has had a certificate so far: does the proxy request one and forward it? " +
      "Check the proxy, and the header that the option `certificate` names.",
  },
} as const satisfies Record<string, Warning>;

const notListed: Warning = {
  code: "CERTBOUND_PROXY_NOT_LISTED",
  message:
    "A valid token was refused: its request did not come from a listed proxy, so its certificate header was ignored. " +
    "If it was your proxy, add its address to `trustedProxies` of the option `certificate`.",
};

const watches = new WeakMap<object, SetupWatch>();

/** Returns the watch of a resource server created by `createResourceServer`. */
export function setupWatchOf(resourceServer: object): SetupWatch | undefined {
  return watches.get(resourceServer);
}

/** Stores the watch, so that framework adapters can find it. */
export function keepSetupWatch(resourceServer: object, watch: SetupWatch): void {
  watches.set(resourceServer, watch);
}

/**
 * Creates the watch of one resource server. Only requests with an active token cause warnings about certificates, so
 * that strangers cannot trigger them.
 *
 * @example createSetupWatch({ warn, monotonicClock }).failed("https://as.example.com", error)
 */
export function createSetupWatch({
  warn,
  monotonicClock,
}: {
  readonly warn: (warning: Warning) => void;
  readonly monotonicClock: () => number;
}): SetupWatch {
  const standing = new Set<string>();
  const warnedAt = new Map<string, number>();
  const ofJudgedTokens = new WeakSet();
  let certificateSeen = false;

  function warnOnce(key: string, warning: Warning): void {
    if (standing.has(key)) return;
    const now = monotonicClock();
    if (now - (warnedAt.get(key) ?? -Infinity) < shortestPause) return;
    standing.add(key);
    warnedAt.set(key, now);
    warn(warning);
  }

  return {
    failed(issuer, error) {
      const cause = issuer && causeOf(error, issuer.option);
      if (cause === undefined) return;
      const { name } = issuer ?? {};
      const message = name === undefined ? cause.message : `${name}: ${cause.message}`;
      warnOnce(`${keyOf(name)} ${cause.code}`, { code: cause.code, message });
    },
    works(issuer) {
      if (standing.size === 0) return;
      const prefix = `${keyOf(issuer)} `;
      for (const key of standing) if (key.startsWith(prefix)) standing.delete(key);
    },
    certificateArrived() {
      certificateSeen = true;
      if (standing.size > 0) standing.delete(notListed.code);
    },
    judged(refusal) {
      ofJudgedTokens.add(refusal);
    },
    refused({ presented, refusal, ofConnection, encrypted }) {
      // With `decide: "backend"` the token of a request with an unreadable certificate is not checked.
      if (!ofJudgedTokens.has(refusal)) return;
      const notTrusted =
        presented !== undefined && "unreadable" in presented && presented.unreadable === "peer_not_trusted";
      if (refusal.code === "certificate_unreadable" && notTrusted) warnOnce(notListed.code, notListed);
      if (refusal.code !== "certificate_missing" || certificateSeen) return;
      const warning = ofConnection ? missing[encrypted ? "tls" : "plain"] : missing.proxy;
      warnOnce(warning.code, warning);
    },
  };
}

/** A prefix that is unique to the issuer. */
function keyOf(issuer: string | undefined): string {
  return JSON.stringify(issuer ?? null);
}

/**
 * Requests an unknown token from an issuer; rejects with {@link SetupFailure} if the issuer cannot be used.
 *
 * @example await checkSetup(openIssuer(resolved, parts))
 */
export async function checkSetup({ name, option, check }: Pick<Issuer, "name" | "option" | "check">): Promise<void> {
  try {
    await check();
  } catch (error) {
    const of = name === undefined ? "" : `${name}: `;
    const cause = causeOf(error, option);
    if (cause !== undefined) throw new SetupFailure(cause.code, `${of}${cause.message}`, { cause: error });
    const said = error instanceof Error ? error.message : "a value that is not an Error was thrown";
    const message = `${of}The issuer of access tokens could not be asked: ${said}`;
    throw new SetupFailure("CERTBOUND_BACKEND_FAILED", message, { cause: error });
  }
}
