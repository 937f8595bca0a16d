import type { TokenEndpoint } from "./authorization-server-metadata.ts";

/** How the client authenticates at the token endpoint. */
export type ClientAuthentication =
  | { readonly method: "tls_client_auth" | "self_signed_tls_client_auth" }
  | { readonly method: "client_secret_basic" | "client_secret_post"; readonly clientSecret: string }
  | { readonly method: "private_key_jwt"; readonly clientAssertion: ClientAssertion };

/** Makes a fresh assertion (RFC 7523 §2.2) for each token request; what it signs is the program's. */
export type ClientAssertion = (at: TokenEndpoint & { readonly clientId: string }) => string | Promise<string>;

/**
 * What authenticates a client in a token request: members of the form, and headers.
 *
 * With a method of mutual TLS that is `client_id` alone (RFC 8705 §2), the certificate does the rest. Basic has both
 * halves form-encoded (RFC 6749 §2.3.1).
 *
 * @example await clientAuthentication("4711", { method: "tls_client_auth" }, endpoint) // { form: [["client_id", "4711"]], headers: {} }
 */
export async function clientAuthentication(
  clientId: string,
  authentication: ClientAuthentication,
  endpoint: TokenEndpoint,
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
      const assertion = await authentication.clientAssertion({ ...endpoint, clientId });
      const type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
      return { form: [...form, ["client_assertion_type", type], ["client_assertion", assertion]], headers: {} };
    }
  }
}

function formEncoded(text: string): string {
  return new URLSearchParams({ "": text }).toString().slice(1);
}
