import test from "ava";
import {
  type ClientAuthentication,
  createResourceServer,
  introspectionEndpoint,
  jwtAccessTokens,
} from "../../src/resource-server/index.ts";
import type { TestCertificate } from "../support/certificates.ts";
import { jwtResource, opaqueResource, type OtherServer, startOidcProvider } from "./oidc-provider.ts";
import { startServedApi } from "./served-api.ts";

// On a busy machine an answer may take its time.
const timeout = { attempt: 30_000, total: 30_000 };

const ways: Record<string, (server: OtherServer) => ClientAuthentication> = {
  client_secret_basic: ({ clientSecret }) => ({ method: "client_secret_basic", clientId: "rs basic", clientSecret }),
  private_key_jwt: ({ assertionKey }) => ({
    method: "private_key_jwt",
    clientId: "rs-jwt",
    key: assertionKey.privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    alg: "ES256",
    kid: assertionKey.kid,
  }),
  "private_key_jwt for the endpoint": ({ assertionKey }) => ({
    method: "private_key_jwt",
    clientId: "rs-jwt",
    key: assertionKey.privateKey.export({ format: "jwk" }) as Record<string, unknown>,
    alg: "ES256",
    audience: "endpoint",
  }),
  tls_client_auth: ({ resourceServer }) => ({
    method: "tls_client_auth",
    clientId: "rs-tls",
    cert: resourceServer.pem,
    key: resourceServer.key,
  }),
};
for (const [way, clientAuthentication] of Object.entries(ways)) {
  test(`oidc-provider's opaque bound tokens (${way}): only the right certificate opens, until the revocation`, async (t) => {
    const server = await startOidcProvider(t);
    const { issuer, ca, app, other } = server;
    const source = introspectionEndpoint({
      issuer,
      clientAuthentication: clientAuthentication(server),
      dialect: "oidc-provider",
      tls: { ca },
      timeout,
    });
    const { call, reasons } = await startServedApi(t, source);
    const token = await server.token();
    t.notRegex(token, /\./);
    const opened = await call(token, app);
    t.is(opened.status, 200, reasons().join());
    t.like(JSON.parse(opened.body), { issuer, clientId: "app", scopes: ["read"], x5tS256: app.x5tS256 });
    t.is((await call(token, other)).status, 401);
    t.is((await call(token)).status, 401);
    t.is((await call(`${token}x`, app)).status, 401);
    await server.revoke(token);
    t.is((await call(token, app)).status, 401);
    t.deepEqual(
      reasons().map((reason) => reason.replace(/:.*/, "")),
      [
        "the token is bound to another certificate",
        "the token is certificate-bound and the connection has no certificate",
        "the token is unknown, revoked or expired",
        "the token is unknown, revoked or expired",
      ],
    );
  });
}

test("oidc-provider rejects our wrong credentials with 401: an outage whose reason names them as ours", async (t) => {
  const { issuer, ca, app, token } = await startOidcProvider(t);
  const clientAuthentication = { method: "client_secret_basic", clientId: "rs basic", clientSecret: "wrong" } as const;
  const { call, reasons } = await startServedApi(
    t,
    introspectionEndpoint({ issuer, clientAuthentication, tls: { ca }, timeout }),
  );
  t.is((await call(await token(), app)).status, 503);
  t.regex(reasons()[0] ?? "", /own credentials \(401, invalid_client\)/);
});

test("oidc-provider's JWT access tokens, checked with its published keys", async (t) => {
  const { issuer, ca, app, other, token } = await startOidcProvider(t);
  const options = { issuer, tls: { ca }, timeout };
  const { call, reasons } = await startServedApi(
    t,
    jwtAccessTokens({ ...options, audience: jwtResource }),
    jwtResource,
  );
  const jwt = await token(jwtResource);
  t.is(jwt.split(".").length, 3);
  const opened = await call(jwt, app);
  t.is(opened.status, 200, reasons().join());
  t.like(JSON.parse(opened.body), { issuer, clientId: "app", audience: [jwtResource], x5tS256: app.x5tS256 });
  t.is((await call(jwt, other)).status, 401);
  t.is((await call(jwt)).status, 401);
  const { call: callElsewhere } = await startServedApi(
    t,
    jwtAccessTokens({ ...options, audience: "https://x.example" }),
  );
  t.is((await callElsewhere(jwt, app)).status, 401);
  t.is((await call(await token(opaqueResource), app)).status, 401);
});

test("oidc-provider's signed introspection answers are for the resource server that asks", async (t) => {
  const { issuer, ca, app, other, clientSecret, token, revoke } = await startOidcProvider(t);
  const clientAuthentication = { method: "client_secret_post", clientId: "rs-signed", clientSecret } as const;
  const options = { issuer, clientAuthentication, tls: { ca }, timeout, dialect: "oidc-provider" } as const;
  const { call, reasons } = await startServedApi(
    t,
    introspectionEndpoint({ ...options, signed: { algorithms: ["ES256"] } }),
  );
  for (const opaque of [await token(), await token(opaqueResource)]) {
    t.is((await call(opaque, app)).status, 200, reasons().join());
    t.is((await call(opaque, other)).status, 401);
    await revoke(opaque);
    t.is((await call(opaque, app)).status, 401);
  }
  const forAnother = introspectionEndpoint({ ...options, signed: { algorithms: ["ES256"], audience: "rs basic" } });
  const misled = await startServedApi(t, forAnother);
  t.is((await misled.call(await token(), app)).status, 503);
  t.regex(misled.reasons()[0] ?? "", /another resource server/);
});

test("oidc-provider without signed answers answers plainly: a downgrade, refused", async (t) => {
  const { issuer, ca, app, clientSecret, token } = await startOidcProvider(t, { signedAnswers: false });
  const clientAuthentication = { method: "client_secret_basic", clientId: "rs basic", clientSecret } as const;
  const source = introspectionEndpoint({ issuer, clientAuthentication, tls: { ca }, timeout, signed: {} });
  const { call, reasons } = await startServedApi(t, source);
  t.is((await call(await token(), app)).status, 503);
  t.regex(reasons()[0] ?? "", /not signed, and must be/);
});

test("both kinds side by side: oidc-provider's JWTs and another issuer's opaque tokens go to their issuer", async (t) => {
  const [jwts, opaque] = [await startOidcProvider(t), await startOidcProvider(t)];
  const { clientSecret } = opaque;
  const clientAuthentication = { method: "client_secret_basic", clientId: "rs basic", clientSecret } as const;
  const resourceServer = createResourceServer({
    issuers: [
      {
        source: jwtAccessTokens({ issuer: jwts.issuer, audience: jwtResource, tls: { ca: jwts.ca }, timeout }),
        timeout: 30_000,
      },
      {
        source: introspectionEndpoint({ issuer: opaque.issuer, clientAuthentication, tls: { ca: opaque.ca }, timeout }),
        timeout: 30_000,
      },
    ],
  });
  t.teardown(() => resourceServer.close());
  const authorize = (token: string, { x5tS256 }: TestCertificate) =>
    resourceServer.authorize({ token, certificate: { x5tS256 } });
  t.is((await authorize(await jwts.token(jwtResource), jwts.app)).issuer, jwts.issuer);
  t.is((await authorize(await opaque.token(), opaque.app)).issuer, opaque.issuer);
  t.like(await t.throwsAsync(authorize(await jwts.token(), jwts.app)), { code: "token_unknown" });
  // It answers 400 to JWTs of its own: no word about the token.
  const unsupported = await t.throwsAsync(authorize(await opaque.token(jwtResource), opaque.app));
  t.like(unsupported, { code: "introspection_unavailable" });
  t.regex(unsupported.message, /unsupported_token_type/);
});
