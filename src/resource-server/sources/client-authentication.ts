import { refuseUnknownOptions } from "../../options/refuse-unknown-options.ts";
import { isEmpty } from "../../api-client/api-connection.ts";
import { optionError } from "../../options/option-error.ts";
import type { Ambient } from "./facts-source.ts";
import { type AuthenticationParameters, type PrivateKeyJwt, readPrivateKeyJwt } from "./private-key-jwt.ts";

/** How the resource server shows who it is to the authorization server (RFC 7662 §2.1); PEM text. */
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
      /** The certificate, with those between it and its anchor after it. */
      readonly cert: string;
      readonly key: string;
    }
  | { readonly method: "bearer"; readonly accessToken: string };

/** A way to authenticate, checked: what it adds to a request. */
export interface Authenticator {
  readonly clientId: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** For the handshake. */
  readonly certificate: { readonly cert: string; readonly key: string } | undefined;
  /** Members of the form body; asked for once an attempt, since an assertion is good for one. */
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
 * Checks the option `clientAuthentication`; throws a `TypeError` with a `code` that names what is wrong in it.
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
      // RFC 8705 §2: with a certificate the client_id says whose it is.
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

/** As RFC 6749 §2.3.1 and App. B have it: a blank is `+`, all but letters, digits and `*-._` are escaped. */
function formEncoded(text: string): string {
  return new URLSearchParams([["", text]]).toString().slice(1);
}
