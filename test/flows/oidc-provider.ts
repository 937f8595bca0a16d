import type { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { RequestListener } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import type { ExecutionContext } from "ava";
import Provider from "oidc-provider";
import { createAuthority, type TestCertificate } from "../support/certificates.ts";
import { postForm } from "../support/https-request.ts";
import { createSigningKey, type SigningKey } from "../support/jwt-issuer.ts";

/** A resource whose tokens are opaque, and one whose are JWTs. */
export const opaqueResource = "https://opaque.example";
export const jwtResource = "https://jwt.example";

export interface OtherServer {
  readonly issuer: string;
  /** To verify it with. */
  readonly ca: string;
  /** The certificate of the client `app`, and one of the same CA that is not its own. */
  readonly app: TestCertificate;
  readonly other: TestCertificate;
  /** The certificate of the resource server `rs-tls`. */
  readonly resourceServer: TestCertificate;
  /** The key of the resource server `rs-jwt`. */
  readonly assertionKey: SigningKey;
  readonly clientSecret: string;
  /** An access token for the client `app`, bound to its certificate. */
  readonly token: (resource?: string) => Promise<string>;
  readonly revoke: (token: string) => Promise<void>;
}

const ofResourceServer = { grant_types: [], redirect_uris: [], response_types: [] };

/** `certbound` did not write this one: oidc-provider behind real mutual TLS, its tokens in memory; ended with the test. */
export async function startOidcProvider(
  t: ExecutionContext,
  { signedAnswers = true }: { readonly signedAnswers?: boolean } = {},
): Promise<OtherServer> {
  const authority = createAuthority({ subject: "CN=Other CA" });
  const own = authority.issue({ subject: "CN=as", san: [{ ip: "127.0.0.1" }] });
  const app = authority.issue({ subject: "CN=app" });
  const other = authority.issue({ subject: "CN=other" });
  const resourceServer = authority.issue({ subject: "CN=rs" });
  const assertionKey = createSigningKey("ES256", "rs");
  const clientSecret = "secret: a+b&c%/";

  let handle: RequestListener = () => undefined;
  const server = createServer(
    { cert: own.pem, key: own.key, ca: authority.certificate.pem, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      handle(request, response);
    },
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const issuer = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const signing = createSigningKey("ES256", "as-es");
  const privateJwk = { ...signing.privateKey.export({ format: "jwk" }), kid: "as-es", use: "sig", alg: "ES256" };
  const rsa = createSigningKey("RS256", "as-rs");
  const privateRsa = { ...rsa.privateKey.export({ format: "jwk" }), kid: "as-rs", use: "sig", alg: "RS256" };

  const provider = new Provider(issuer, {
    jwks: { keys: [privateJwk, privateRsa] },
    clients: [
      {
        client_id: "app",
        token_endpoint_auth_method: "tls_client_auth",
        tls_client_auth_subject_dn: "CN=app",
        tls_client_certificate_bound_access_tokens: true,
        grant_types: ["client_credentials"],
        redirect_uris: [],
        response_types: [],
        scope: "read",
      },
      {
        ...ofResourceServer,
        client_id: "rs basic",
        client_secret: clientSecret,
        token_endpoint_auth_method: "client_secret_basic",
      },
      {
        ...ofResourceServer,
        client_id: "rs-signed",
        client_secret: clientSecret,
        token_endpoint_auth_method: "client_secret_post",
        introspection_signed_response_alg: "ES256",
      },
      {
        ...ofResourceServer,
        client_id: "rs-jwt",
        token_endpoint_auth_method: "private_key_jwt",
        token_endpoint_auth_signing_alg: "ES256",
        jwks: { keys: [assertionKey.jwk] },
      },
      {
        ...ofResourceServer,
        client_id: "rs-tls",
        token_endpoint_auth_method: "tls_client_auth",
        tls_client_auth_subject_dn: "CN=rs",
      },
    ],
    clientAuthMethods: ["client_secret_basic", "client_secret_post", "private_key_jwt", "tls_client_auth"],
    scopes: ["read"],
    ttl: { ClientCredentials: 600 },
    discovery: { mtls_endpoint_aliases: { introspection_endpoint: `${issuer}/token/introspection` } },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      jwtIntrospection: { enabled: signedAnswers },
      revocation: { enabled: true, allowedPolicy: () => true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        getResourceServerInfo: (_: unknown, resource: string) => ({
          scope: "read",
          audience: resource,
          accessTokenFormat: resource === jwtResource ? "jwt" : "opaque",
          jwt: { sign: { alg: "ES256" } },
        }),
      },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        tlsClientAuth: true,
        getCertificate: (ctx: Connected) => certificateOf(ctx)?.toString(),
        certificateAuthorized: (ctx: Connected) => ctx.req.socket.authorized,
        certificateSubjectMatches: (ctx: Connected, property: string, expected: string) =>
          property === "tls_client_auth_subject_dn" && certificateOf(ctx)?.subject === expected,
      },
    },
  });
  handle = provider.callback();

  const post = async (path: string, form: Record<string, string | undefined>) => {
    const answer = await postForm({ url: `${issuer}${path}`, as: app }, { client_id: "app", ...form });
    if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${answer.body}`);
    return answer;
  };
  return {
    issuer,
    ca: authority.certificate.pem,
    app,
    other,
    resourceServer,
    assertionKey,
    clientSecret,
    async token(resource) {
      const { body } = await post("/token", { grant_type: "client_credentials", scope: "read", resource });
      return (JSON.parse(body) as { access_token: string }).access_token;
    },
    async revoke(token) {
      await post("/token/revocation", { token });
    },
  };
}

interface Connected {
  readonly req: { readonly socket: TLSSocket };
}

function certificateOf({ req }: Connected): X509Certificate | undefined {
  return req.socket.getPeerX509Certificate();
}
