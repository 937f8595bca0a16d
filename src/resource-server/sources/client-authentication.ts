import { createPrivateKey, type KeyObject } from "node:crypto";
import { isEmpty } from "../../api-client/api-connection.ts";
import { optionError } from "../../options/option-error.ts";
import { refuseUnknownOptions } from "../../options/refuse-unknown-options.ts";
import { asymmetricAlgorithms } from "./issuer-keys.ts";
import type { Ambient } from "../environment.ts";

/** Authentication by a signed assertion (RFC 7523 §2.2). */
interface PrivateKeyJwt {
  readonly method: "private_key_jwt";
  readonly clientId: string;
  /** The private key as PEM text or as a JWK. */
  readonly key: string | Readonly<Record<string, unknown>>;
  /** `ES256`, `RS256`, `EdDSA`, …; an asymmetric one. */
  readonly alg: string;
  readonly kid?: string;
  /** The audience of the assertion: the `issuer` (default if it is known) or the introspection `endpoint`. */
  readonly audience?: "issuer" | "endpoint";
}

/** The possible audiences of an assertion. */
interface AssertionAudience {
  readonly issuer: string | undefined;
  readonly endpoint: string;
}

/** Creates the form parameters that authenticate one attempt. */
type AuthenticationParameters = (audience: AssertionAudience) => Promise<Readonly<Record<string, string>>>;

/** Seconds. Long enough for a small clock difference, short enough that a leaked assertion is worthless. */
const lifetime = 60;

/**
 * Checks the options of `private_key_jwt`; each call of the returned function signs a new assertion with a new `jti`.
 *
 * @example await readPrivateKeyJwt(options, ambient)({ issuer, endpoint }) // { client_id, client_assertion, … }
 */
function readPrivateKeyJwt(options: PrivateKeyJwt, ambient: Ambient): AuthenticationParameters {
  const { clientId, alg, kid, audience } = options;
  if (!asymmetricAlgorithms.has(alg)) throw optionError("clientAuthentication.alg", "must be an asymmetric algorithm");
  if (kid !== undefined && typeof kid !== "string") throw optionError("clientAuthentication.kid", "must be text");
  if (audience !== undefined && !(["issuer", "endpoint"] as unknown[]).includes(audience)) {
    throw optionError("clientAuthentication.audience", 'must be "issuer" or "endpoint"');
  }
  const key = readKey(options.key);
  return async ({ issuer, endpoint }) => {
    const { signAssertion } = await import("../../jose/sign-jwt.ts");
    const now = Math.floor(ambient.clock() / 1000);
    const claims = {
      iss: clientId,
      sub: clientId,
      aud: audience === "endpoint" ? endpoint : (issuer ?? endpoint),
      jti: Buffer.from(ambient.randomBytes(16)).toString("base64url"),
      iat: now,
      exp: now + lifetime,
    };
    return {
      client_id: clientId,
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion: await signAssertion(claims, key, { alg, kid }),
    };
  };
}

/** Node's error message would quote the key. */
function readKey(key: PrivateKeyJwt["key"]): KeyObject {
  try {
    return typeof key === "string" ? createPrivateKey(key) : createPrivateKey({ key: { ...key }, format: "jwk" });
  } catch {
    throw optionError("clientAuthentication.key", "must be a private key as PEM text or as a JWK");
  }
}

/**
 * How the resource server authenticates at the authorization server (RFC 7662 §2.1); certificates and keys are PEM
 * text.
 */
export type ClientAuthentication =
  | {
      readonly method: "client_secret_basic" | "client_secret_post";
      readonly clientId: string;
      readonly clientSecret: string;
    }
  | PrivateKeyJwt
  | {
      readonly method: "tls_client_auth" | "self_signed_tls_client_auth";
      readonly clientId: string;
      /** The certificate, followed by its intermediate certificates. */
      readonly cert: string;
      readonly key: string;
    }
  | { readonly method: "bearer"; readonly accessToken: string };

/** A checked way to authenticate, and what it adds to a request. */
export interface Authenticator {
  readonly clientId: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** For the TLS handshake. */
  readonly certificate: { readonly cert: string; readonly key: string } | undefined;
  /** Form parameters; created once per attempt, because an assertion is valid for one. */
  readonly parameters: AuthenticationParameters;
}

const members: Readonly<Record<ClientAuthentication["method"], readonly string[]>> = {
  client_secret_basic: ["method", "clientId", "clientSecret"],
  client_secret_post: ["method", "clientId", "clientSecret"],
  private_key_jwt: ["method", "clientId", "key", "alg", "kid", "audience"],
  tls_client_auth: ["method", "clientId", "cert", "key"],
  self_signed_tls_client_auth: ["method", "clientId", "cert", "key"],
  bearer: ["method", "accessToken"],
};

/**
 * Checks the option `clientAuthentication`; throws a `TypeError` with a `code` that names the wrong member.
 *
 * @example readAuthentication({ method: "bearer", accessToken }, ambient).headers // { authorization: "Bearer …" }
 */
export function readAuthentication(given: ClientAuthentication, ambient: Ambient): Authenticator {
  if (typeof given !== "object" || (given as unknown) === null || !Object.hasOwn(members, given.method)) {
    throw optionError("clientAuthentication.method", `must be one of ${Object.keys(members).join(", ")}`);
  }
  refuseUnknownOptions(given, members[given.method], "clientAuthentication");
  const nothing = { headers: {}, certificate: undefined, parameters: () => Promise.resolve({}) };
  switch (given.method) {
    case "bearer": {
      if (typeof given.accessToken !== "string" || !/^[\x21-\x7e]+$/.test(given.accessToken)) {
        throw optionError(
          "clientAuthentication.accessToken",
          given.accessToken === "" ? isEmpty : "must be text without blanks",
        );
      }
      return { ...nothing, clientId: undefined, headers: { authorization: `Bearer ${given.accessToken}` } };
    }
    case "client_secret_basic": {
      texts(given, ["clientId", "clientSecret"]);
      const { clientId, clientSecret } = given;
      const pair = `${formEncoded(clientId)}:${formEncoded(clientSecret)}`;
      const authorization = `Basic ${Buffer.from(pair).toString("base64")}`;
      return { ...nothing, clientId, headers: { authorization } };
    }
    case "client_secret_post": {
      texts(given, ["clientId", "clientSecret"]);
      const { clientId, clientSecret } = given;
      const parameters = Object.freeze({ client_id: clientId, client_secret: clientSecret });
      return { ...nothing, clientId, parameters: () => Promise.resolve(parameters) };
    }
    case "private_key_jwt":
      texts(given, ["clientId"]);
      return { ...nothing, clientId: given.clientId, parameters: readPrivateKeyJwt(given, ambient) };
    case "tls_client_auth":
    case "self_signed_tls_client_auth": {
      texts(given, ["clientId", "cert", "key"]);
      const { clientId, cert, key } = given;
      // RFC 8705 §2: the client_id identifies the client of the certificate.
      const parameters = Object.freeze({ client_id: clientId });
      return { ...nothing, clientId, certificate: { cert, key }, parameters: () => Promise.resolve(parameters) };
    }
  }
}

function texts(given: object, names: readonly string[]): void {
  for (const name of names) {
    const value = (given as Record<string, unknown>)[name];
    if (typeof value !== "string" || value === "") throw optionError(`clientAuthentication.${name}`, "must be text");
  }
}

/** RFC 6749 §2.3.1 and App. B: a space becomes `+`; all but letters, digits and `*-._` are escaped. */
function formEncoded(text: string): string {
  return new URLSearchParams([["", text]]).toString().slice(1);
}
