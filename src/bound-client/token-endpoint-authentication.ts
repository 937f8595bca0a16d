import { optionError } from "../options/option-error.ts";
import type { TokenEndpoint } from "./authorization-server-metadata.ts";
import { within } from "./presenter.ts";
import { AuthorizationServerUnavailable } from "./token-errors.ts";

/** How the client authenticates at the token endpoint. */
export type TokenEndpointAuthentication =
  | { readonly method: "tls_client_auth" | "self_signed_tls_client_auth" }
  | { readonly method: "client_secret_basic" | "client_secret_post"; readonly clientSecret: string }
  | { readonly method: "private_key_jwt"; readonly clientAssertion: ClientAssertion };

/** Signs a new assertion (RFC 7523 §2.2) for each token request, with a key that only the program holds. */
export type ClientAssertion = (at: TokenEndpoint & { readonly clientId: string }) => string | Promise<string>;

/** How long to wait for the program's `clientAssertion`. */
interface Waiting {
  /** Milliseconds. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/**
 * Returns the form parameters and headers that authenticate a client in a token request.
 *
 * With mutual TLS the form has `client_id` only (RFC 8705 §2); the certificate authenticates. For Basic, user id and
 * password are form-encoded (RFC 6749 §2.3.1).
 *
 * Rejects with what the program's `clientAssertion` throws, with a `TypeError` if it does not return a string, and with
 * `AuthorizationServerUnavailable` if it does not return in time.
 *
 * @example await authenticationParameters("4711", { method: "tls_client_auth" }, endpoint, { timeout, signal }) // { form: [["client_id", "4711"]], headers: {} }
 */
export async function authenticationParameters(
  clientId: string,
  authentication: TokenEndpointAuthentication,
  endpoint: TokenEndpoint,
  waiting: Waiting,
): Promise<{ readonly form: [string, string][]; readonly headers: Readonly<Record<string, string>> }> {
  const form: [string, string][] = [["client_id", clientId]];
  switch (authentication.method) {
    case "tls_client_auth":
    case "self_signed_tls_client_auth":
      return { form, headers: {} };
    case "client_secret_post":
      return { form: [...form, ["client_secret", authentication.clientSecret]], headers: {} };
    case "client_secret_basic": {
      const pair = [clientId, authentication.clientSecret].map(formEncoded).join(":");
      return { form: [], headers: { authorization: `Basic ${Buffer.from(pair).toString("base64")}` } };
    }
    case "private_key_jwt": {
      const assertion: unknown = await givenInTime(authentication.clientAssertion, { ...endpoint, clientId }, waiting);
      if (typeof assertion !== "string" || assertion === "")
        throw optionError("clientAssertion", "must return a string");
      const type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
      return { form: [...form, ["client_assertion_type", type], ["client_assertion", assertion]], headers: {} };
    }
  }
}

/** A `clientAssertion` that never returns must not block callers that wait for a token. */
async function givenInTime(
  clientAssertion: ClientAssertion,
  at: Parameters<ClientAssertion>[0],
  { timeout, signal }: Waiting,
): Promise<unknown> {
  const late = new AbortController();
  const timer = setTimeout(() => {
    late.abort();
  }, timeout);
  const over = AbortSignal.any([signal, late.signal]);
  // Called inside a promise, because it may throw synchronously.
  const given = Promise.resolve(at).then(clientAssertion);
  try {
    return await within(over, given);
  } catch (error) {
    if (!over.aborted) throw error;
    throw new AuthorizationServerUnavailable("clientAssertion did not return in time.", "ETIMEDOUT", {
      cause: error,
    });
  } finally {
    clearTimeout(timer);
  }
}

function formEncoded(text: string): string {
  return new URLSearchParams({ "": text }).toString().slice(1);
}
