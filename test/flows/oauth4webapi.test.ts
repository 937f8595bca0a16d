import test, { type ExecutionContext } from "ava";
import * as oauth from "oauth4webapi";
import { basicResourceServers, introspectionEndpoint, nodeHandler } from "../../src/authorization-server/index.ts";
import { createLifetime } from "../proxies/foreground-process.ts";
import type { TestCertificate } from "../support/certificates.ts";
import { serveMutualTls } from "../support/mutual-tls.ts";
import {
  assertionKey,
  clientSecret,
  ed25519Key,
  type ExampleDeployment,
  fetchAs,
  k1,
  k3,
  redirectUri,
  resource,
  resourceServer,
  sourceOf,
  startExampleDeployment,
} from "./example-deployment.ts";
import { startServedApi } from "./served-api.ts";
import { signIn } from "./plain-browser.ts";

// oauth4webapi as it comes from npm, step by step, against the example in processes of its own.

const lifetime = createLifetime();
let example: ExampleDeployment;

test.before(async () => {
  example = await startExampleDeployment(lifetime, { jwtAccessTokens: true });
});
test.after.always(() => lifetime.end());

/** One of the clients, with what it needs for every request. */
interface Speaker {
  readonly as: oauth.AuthorizationServer;
  readonly client: oauth.Client;
  readonly authentication: oauth.ClientAuth;
  readonly options: { readonly [oauth.customFetch]: ReturnType<typeof fetchAs> };
}

async function speakAs(
  t: ExecutionContext,
  clientId: string,
  authentication: oauth.ClientAuth,
  certificate?: TestCertificate,
  algorithm: "oidc" | "oauth2" = "oidc",
): Promise<Speaker> {
  const options = { [oauth.customFetch]: fetchAs(t, certificate) };
  const issuer = new URL(example.issuer);
  const answer = await oauth.discoveryRequest(issuer, { algorithm, ...options });
  const as = await oauth.processDiscoveryResponse(issuer, answer);
  return { as, client: { client_id: clientId, use_mtls_endpoint_aliases: true }, authentication, options };
}

/** The code flow up to the tokens; what the client checks on its way is checked. */
async function getTokens({ as, client, authentication, options }: Speaker): Promise<oauth.TokenEndpointResponse> {
  const verifier = oauth.generateRandomCodeVerifier();
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
  const url = new URL(as.authorization_endpoint ?? "");
  url.search = new URLSearchParams({
    response_type: "code",
    client_id: client.client_id,
    redirect_uri: redirectUri,
    scope: "openid read",
    state,
    nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  }).toString();
  const parameters = oauth.validateAuthResponse(as, client, await signIn(url), state);
  const answer = await oauth.authorizationCodeGrantRequest(
    as,
    client,
    authentication,
    parameters,
    redirectUri,
    verifier,
    options,
  );
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, answer, {
    expectedNonce: nonce,
    requireIdToken: true,
  });
  await oauth.validateApplicationLevelSignature(as, answer, options);
  if (answer.headers.get("cache-control") !== "no-store") throw new Error("A cache may keep the tokens.");
  return tokens;
}

async function refresh(speaker: Speaker, token: string | undefined): Promise<oauth.TokenEndpointResponse> {
  const { as, client, authentication, options } = speaker;
  const answer = await oauth.refreshTokenGrantRequest(as, client, authentication, token ?? "", options);
  return oauth.processRefreshTokenResponse(as, client, answer);
}

async function introspect(t: ExecutionContext, token: string): Promise<oauth.IntrospectionResponse> {
  const { id, secret } = resourceServer;
  const { as, client, authentication, options } = await speakAs(t, id, oauth.ClientSecretBasic(secret));
  const answer = await oauth.introspectionRequest(as, client, authentication, token, options);
  return oauth.processIntrospectionResponse(as, client, answer);
}

async function revoke({ as, client, authentication, options }: Speaker, token: string): Promise<void> {
  const answer = await oauth.revocationRequest(as, client, authentication, token, options);
  await oauth.processRevocationResponse(answer);
}

async function signedAssertion(): Promise<oauth.ClientAuth> {
  const pkcs8 = assertionKey.privateKey.export({ type: "pkcs8", format: "der" });
  const key = await crypto.subtle.importKey("pkcs8", pkcs8, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
  return oauth.PrivateKeyJwt({ key, kid: "assertion" });
}

/** oauth4webapi writes `alg: "Ed25519"`. */
async function assertionByEd25519(): Promise<oauth.ClientAuth> {
  const pkcs8 = ed25519Key.privateKey.export({ type: "pkcs8", format: "der" });
  const key = await crypto.subtle.importKey("pkcs8", pkcs8, { name: "Ed25519" }, false, ["sign"]);
  return oauth.PrivateKeyJwt({ key, kid: "ed25519" });
}

/** What the token says, whoever may read it. */
function claimsOf(jwt: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString()) as Record<string, unknown>;
}

for (const algorithm of ["oidc", "oauth2"] as const) {
  test.serial(
    `oauth4webapi, discovery by ${algorithm}: code, userinfo, refresh, introspection, API, revocation`,
    async (t) => {
      const app = await speakAs(t, "1", oauth.TlsClientAuth(), k1, algorithm);
      const { as, client, options } = app;
      const first = await getTokens(app);
      t.like(oauth.getValidatedIdTokenClaims(first), { iss: example.issuer, aud: "1", sub: "user-alice" });
      const asked = await oauth.userInfoRequest(as, client, first.access_token, options);
      t.deepEqual(await oauth.processUserInfoResponse(as, client, "user-alice", asked), { sub: "user-alice" });

      const second = await refresh(app, first.refresh_token);
      t.not(second.refresh_token, first.refresh_token);
      const third = await refresh(app, second.refresh_token);
      for (const { access_token: token } of [first, second, third]) {
        t.like(await introspect(t, token), { active: true, sub: "user-alice", cnf: { "x5t#S256": k1.x5tS256 } });
      }

      const api = await startServedApi(t, sourceOf(example.issuer, "jwt"), resource);
      const call = (token: string, by: Speaker) =>
        oauth.protectedResourceRequest(token, "GET", new URL(api.url), new Headers(), null, by.options);
      t.is((await call(third.access_token, app)).status, 200);
      const thieves = [undefined, k3].map((certificate) => speakAs(t, "1", oauth.None(), certificate));
      for (const thief of await Promise.all(thieves)) {
        await t.throwsAsync(call(third.access_token, thief), { instanceOf: oauth.WWWAuthenticateChallengeError });
      }
      t.deepEqual(
        api.refusals.map(({ code }) => code),
        ["certificate_missing", "certificate_mismatch"],
      );

      await revoke(app, third.access_token);
      t.deepEqual(await introspect(t, third.access_token), { active: false });
      t.like(await t.throwsAsync(refresh(app, first.refresh_token)), { error: "invalid_grant" });
      t.deepEqual(await introspect(t, second.access_token), { active: false });
    },
  );
}

test.serial(
  "oauth4webapi: client credentials, with a token that names the client where there is no user",
  async (t) => {
    const { as, client, authentication, options } = await speakAs(t, "1", oauth.TlsClientAuth(), k1);
    const parameters = { scope: "read", resource };
    const answer = await oauth.clientCredentialsGrantRequest(as, client, authentication, parameters, options);
    const { access_token: token, ...more } = await oauth.processClientCredentialsResponse(as, client, answer);
    t.deepEqual(more, { token_type: "bearer", expires_in: 3600, scope: "read" } as never);
    t.like(claimsOf(token), { sub: "1", client_id: "1", aud: resource, cnf: { "x5t#S256": k1.x5tS256 } });
  },
);

test.serial("oauth4webapi: over mutual TLS, tokens are bound with every method of client authentication", async (t) => {
  const speakers = [
    await speakAs(t, "4", oauth.ClientSecretBasic(clientSecret), k3),
    await speakAs(t, "3", await signedAssertion(), k3),
    await speakAs(t, "11", await assertionByEd25519(), k3),
    await speakAs(t, "7", oauth.None(), k3),
  ];
  for (const speaker of speakers) {
    const first = await getTokens(speaker);
    const second = await refresh(speaker, first.refresh_token);
    for (const { access_token: token } of [first, second]) {
      t.deepEqual(claimsOf(token)["cnf"], { "x5t#S256": k3.x5tS256 });
      t.deepEqual((await introspect(t, token)).cnf, { "x5t#S256": k3.x5tS256 });
    }
    // The same client without a certificate: no token, rather than one that is not bound.
    const { client } = speaker;
    const bare = await speakAs(t, client.client_id, speaker.authentication);
    t.like(await t.throwsAsync(refresh(bare, second.refresh_token)), { name: "ResponseBodyError" });
  }
});

test.serial(
  "oauth4webapi's reader of JWT access tokens accepts our unbound ones, for their audience alone",
  async (t) => {
    const app = await speakAs(t, "8", oauth.ClientSecretBasic(clientSecret));
    const { access_token: token } = await getTokens(app);
    const request = new Request(resource, { headers: { authorization: `Bearer ${token}` } });
    const claims = await oauth.validateJwtAccessToken(app.as, request, resource, {
      ...app.options,
      signingAlgorithms: ["ES256"],
    });
    t.like(claims, { iss: example.issuer, sub: "user-alice", aud: resource, client_id: "8", scope: "openid read" });
    t.false("cnf" in claims);
    const elsewhere = oauth.validateJwtAccessToken(app.as, request, "https://other.example.com", app.options);
    t.like(await t.throwsAsync(elsewhere), { name: "OperationProcessingError" });
  },
);

test.serial("oauth4webapi's reader knows no certificates, and rejects a bound token", async (t) => {
  const app = await speakAs(t, "1", oauth.TlsClientAuth(), k1);
  const { access_token: token } = await getTokens(app);
  const request = new Request(resource, { headers: { authorization: `Bearer ${token}` } });
  await t.throwsAsync(oauth.validateJwtAccessToken(app.as, request, resource, app.options), {
    instanceOf: oauth.UnsupportedOperationError,
    message: "unsupported JWT Confirmation method",
  });
});

test.serial("oauth4webapi takes no ID token for an access token, nor does the library's API", async (t) => {
  const app = await speakAs(t, "1", oauth.TlsClientAuth(), k1);
  const { id_token: idToken } = await getTokens(app);
  const request = new Request(resource, { headers: { authorization: `Bearer ${idToken}` } });
  await t.throwsAsync(oauth.validateJwtAccessToken(app.as, request, "1", app.options));
  const api = await startServedApi(t, sourceOf(example.issuer, "jwt"), resource);
  await t.throwsAsync(
    oauth.protectedResourceRequest(idToken ?? "", "GET", new URL(api.url), new Headers(), null, app.options),
    {
      instanceOf: oauth.WWWAuthenticateChallengeError,
    },
  );
});

test.serial(
  "oauth4webapi accepts signed introspection answers, but not another resource server's (RFC 9701)",
  async (t) => {
    const { access_token: token } = await getTokens(await speakAs(t, "1", oauth.TlsClientAuth(), k1));
    // A resource server is its client's id to this client, and the audience of the answer: here both are its URI.
    const secret = "secret-of-the-resource-server-0123456789";
    const known = [
      // What signs is RS256 where nobody says otherwise (RFC 9701 §6); the service has a key for ES256.
      { id: resource, secret, rsUri: resource, introspectionSignAlg: "ES256" },
      { id: "other-api", secret, rsUri: resource, introspectionSignAlg: "ES256" },
    ] as const;
    const endpoint = introspectionEndpoint({
      backend: example.api,
      realm: "test",
      authenticate: basicResourceServers(known),
    });
    const url = await serveMutualTls(t, nodeHandler({ "/introspect": endpoint }));
    const { as: found, options } = await speakAs(t, resource, oauth.None());
    const as = { ...found, introspection_endpoint: `${url}/introspect` };
    const ask = async (id: string): Promise<oauth.IntrospectionResponse> => {
      const reader = { client_id: id, introspection_signed_response_alg: "ES256" };
      const answer = await oauth.introspectionRequest(as, reader, oauth.ClientSecretBasic(secret), token, options);
      t.is(answer.headers.get("content-type"), "application/token-introspection+jwt");
      const facts = await oauth.processIntrospectionResponse(as, reader, answer);
      await oauth.validateApplicationLevelSignature(as, answer, options);
      return facts;
    };
    t.like(await ask(resource), { active: true, sub: "user-alice", cnf: { "x5t#S256": k1.x5tS256 } });
    t.like(await t.throwsAsync(ask("other-api")), { code: "OAUTH_JWT_CLAIM_COMPARISON_FAILED" });
  },
);
