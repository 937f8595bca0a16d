import { optionError } from "../options/option-error.ts";
import type { TokenEndpoint } from "./authorization-server-metadata.ts";
import { within } from "./presenter.ts";
import { AuthorizationServerUnavailable } from "./token-errors.ts";

/** How the client authenticates at the token endpoint. */
export type TokenEndpointAuthentication =
  | { readonly method: "tls_client_auth" | "self_signed_tls_client_auth" }
  | { readonly method: "client_secret_basic" | "client_secret_post"; readonly clientSecret: string }
  | { readonly method: "private_key_jwt"; readonly clientAssertion: ClientAssertion };

/** Makes a fresh assertion (RFC 7523 §2.2) for each token request; what it signs is the program's. */
export type ClientAssertion = (at: TokenEndpoint & { readonly clientId: string }) => string | Promise<string>;

/** How long the program's `clientAssertion` may take. */
interface Waiting {
  /** Milliseconds. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/**
 * What authenticates a client in a token request: members of the form, and headers.
 *
 * With a method of mutual TLS that is `client_id` alone (RFC 8705 §2), the certificate does the rest. Basic has both
 * halves form-encoded (RFC 6749 §2.3.1).
 *
 * Rejects with what the program's `clientAssertion` throws, with a `TypeError` when it gives no text, and with
 * `AuthorizationServerUnavailable` when it gives nothing in time.
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
      if (typeof assertion !== "string" || assertion === "") throw optionError("clientAssertion", "must return a text");
      const type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
      return { form: [...form, ["client_assertion_type", type], ["client_assertion", assertion]], headers: {} };
    }
  }
}

/** A function of the program that never ends must not block callers that wait for a token. */
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
  // In a promise from the beginning: it may throw at once.
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
