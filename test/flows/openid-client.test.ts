import { createHash } from "node:crypto";
import test, { type ExecutionContext } from "ava";
import * as client from "openid-client";
import { createLifetime } from "../proxies/foreground-process.ts";
import {
  assertionKey,
  clientSecret,
  type ExampleDeployment,
  fetchAs,
  k1,
  k2,
  k3,
  redirectUri,
  resource,
  resourceServer,
  sourceOf,
  startExampleDeployment,
  stranger,
} from "./example-deployment.ts";
import type { TestCertificate } from "../support/certificates.ts";
import { startServedApi } from "./served-api.ts";
import { alice, bob, openPlainBrowser, signIn } from "./plain-browser.ts";

// openid-client as it comes from npm, against the example in processes of its own: it is told the issuer, who it is and
// what it proves itself with, and finds out everything else. One test at a time: the example gives up on a backend that
// takes longer than two seconds.

const lifetime = createLifetime();
let opaque: ExampleDeployment;
let jwts: ExampleDeployment;

test.before(async () => {
  // Those of the second are found through the aliases, or not at all.
  [opaque, jwts] = await Promise.all([
    startExampleDeployment(lifetime),
    startExampleDeployment(lifetime, { jwtAccessTokens: true, onlyAliases: true }),
  ]);
});
test.after.always(() => lifetime.end());

/** A way for a client to prove itself, and the certificate it comes with. */
interface Way {
  readonly clientId: string;
  readonly as: TestCertificate;
  readonly authentication: () => client.ClientAuth | Promise<client.ClientAuth>;
}

async function signedAssertion(): Promise<client.ClientAuth> {
  const pkcs8 = assertionKey.privateKey.export({ type: "pkcs8", format: "der" });
  const key = await crypto.subtle.importKey("pkcs8", pkcs8, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
  return client.PrivateKeyJwt({ key, kid: "assertion" });
}

const byCertificate: Way = { clientId: "1", as: k1, authentication: () => client.TlsClientAuth() };
const publicClient: Way = { clientId: "7", as: k3, authentication: () => client.None() };
const ways: Readonly<Record<string, Way>> = {
  tls_client_auth: byCertificate,
  self_signed_tls_client_auth: { clientId: "2", as: k2, authentication: () => client.TlsClientAuth() },
  private_key_jwt: { clientId: "3", as: k3, authentication: signedAssertion },
  client_secret_basic: { clientId: "4", as: k3, authentication: () => client.ClientSecretBasic(clientSecret) },
  client_secret_post: { clientId: "5", as: k3, authentication: () => client.ClientSecretPost(clientSecret) },
  client_secret_jwt: { clientId: "6", as: k3, authentication: () => client.ClientSecretJwt(clientSecret) },
  "none, a public client": publicClient,
};

/** Reads the metadata, and remembers what it must to speak as this client. */
async function discover(
  t: ExecutionContext,
  { issuer }: ExampleDeployment,
  way: Omit<Way, "as"> & { readonly as: TestCertificate | undefined },
): Promise<client.Configuration> {
  return client.discovery(
    new URL(issuer),
    way.clientId,
    { use_mtls_endpoint_aliases: true },
    await way.authentication(),
    // ID tokens straight from the token endpoint need no check of their signature; here they are checked.
    { [client.customFetch]: fetchAs(t, way.as), execute: [client.enableNonRepudiationChecks] },
  );
}

/** What a resource server asks with: it has no certificate. */
function discoverAsApi(t: ExecutionContext, { issuer }: ExampleDeployment) {
  const { id, secret } = resourceServer;
  const metadata = { use_mtls_endpoint_aliases: true };
  return client.discovery(new URL(issuer), id, metadata, client.ClientSecretBasic(secret), {
    [client.customFetch]: fetchAs(t),
  });
}

/** An authorization request, and what its answer is checked with. */
async function askForCode(config: client.Configuration, more: Readonly<Record<string, string>> = {}) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const [expectedState, expectedNonce] = [client.randomState(), client.randomNonce()];
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: "openid email read",
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
    ...more,
  });
  return { url, checks: { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true } };
}

/** Signs the user in and gets tokens for it. */
async function getTokens(config: client.Configuration) {
  const { url, checks } = await askForCode(config, { max_age: "600" });
  return client.authorizationCodeGrant(config, await signIn(url), { ...checks, maxAge: 600 });
}

const refreshTokenOf = ({ refresh_token: token }: client.TokenEndpointResponse): string => {
  if (token === undefined) throw new Error("The answer has no refresh token.");
  return token;
};

for (const [format, deployment, tried] of [
  ["opaque", () => opaque, Object.entries(ways)],
  ["jwt", () => jwts, Object.entries(ways).filter(([, way]) => way === byCertificate || way === publicClient)],
] as const) {
  for (const [name, way] of tried) {
    test.serial(
      `openid-client, ${format} tokens, ${name}: code, userinfo, refresh, introspection, API, revocation`,
      async (t) => {
        const { issuer } = deployment();
        const config = await discover(t, deployment(), way);
        const asker = await discoverAsApi(t, deployment());
        const api = await startServedApi(t, sourceOf(issuer, format), resource);
        const call = async (token: string, by = config): Promise<unknown> => {
          const answer = await client.fetchProtectedResource(by, token, new URL(api.url), "GET");
          const { sub, clientId, x5tS256 } = (await answer.json()) as Record<string, unknown>;
          return { sub, clientId, x5tS256 };
        };

        const first = await getTokens(config);
        t.is(first.token_type, "bearer");
        t.is(first.scope, "openid email read");
        t.is(first.access_token.split(".").length, format === "jwt" ? 3 : 1);
        t.like(first.claims(), {
          iss: issuer,
          aud: way.clientId,
          sub: "user-alice",
          at_hash: leftHalf(first.access_token),
        });
        const user = await client.fetchUserInfo(config, first.access_token, "user-alice");
        t.deepEqual(user, { sub: "user-alice", email: "alice@example.com", email_verified: true });

        const second = await client.refreshTokenGrant(config, refreshTokenOf(first));
        t.not(refreshTokenOf(second), refreshTokenOf(first));
        t.not(second.access_token, first.access_token);
        t.like(second.claims(), { sub: "user-alice", at_hash: leftHalf(second.access_token) });

        for (const { access_token: token } of [first, second]) {
          const facts = await client.tokenIntrospection(asker, token);
          t.like(facts, {
            active: true,
            iss: issuer,
            sub: "user-alice",
            client_id: way.clientId,
            scope: "openid email read",
            token_type: "Bearer",
            cnf: { "x5t#S256": way.as.x5tS256 },
          });
          t.deepEqual(await call(token), { sub: "user-alice", clientId: way.clientId, x5tS256: way.as.x5tS256 });
        }

        // Stolen: the same token from a connection without the certificate, and from one with another.
        for (const thief of [undefined, stranger]) {
          const by = await client.discovery(new URL(issuer), way.clientId, {}, client.None(), {
            [client.customFetch]: fetchAs(t, thief),
          });
          t.like(await t.throwsAsync(call(second.access_token, by)), {
            status: 401,
            code: "OAUTH_WWW_AUTHENTICATE_CHALLENGE",
            cause: [{ scheme: "bearer", parameters: { error: "invalid_token" } }],
          });
        }
        t.deepEqual(
          api.refusals.map(({ code }) => code),
          ["certificate_missing", "certificate_mismatch"],
        );

        await client.tokenRevocation(config, second.access_token);
        t.deepEqual(await client.tokenIntrospection(asker, second.access_token), { active: false });
        await client.tokenRevocation(config, refreshTokenOf(second));
        t.deepEqual(await client.tokenIntrospection(asker, first.access_token), { active: false });
        t.like(await t.throwsAsync(client.refreshTokenGrant(config, refreshTokenOf(second))), {
          error: "invalid_grant",
          status: 400,
        });
      },
    );
  }
}

for (const [name, way] of Object.entries(ways)) {
  if (way === publicClient) continue;
  test.serial(`openid-client, ${name}: client credentials give a bound token, without refresh token`, async (t) => {
    const config = await discover(t, opaque, way);
    const { access_token: token, ...more } = await client.clientCredentialsGrant(config, { scope: "read" });
    t.like(more, { token_type: "bearer", expires_in: 3600, scope: "read" });
    t.false("refresh_token" in more);
    t.like(await client.tokenIntrospection(await discoverAsApi(t, opaque), token), {
      active: true,
      client_id: way.clientId,
      cnf: { "x5t#S256": way.as.x5tS256 },
    });
  });
}

for (const [what, as, error] of [
  ["without a certificate", undefined, "invalid_client"],
  ["with somebody else's certificate", stranger, "invalid_client"],
] as const) {
  test.serial(`openid-client, tls_client_auth ${what}: ${error}, and the code works afterwards`, async (t) => {
    const config = await discover(t, opaque, byCertificate);
    const other = await discover(t, opaque, { ...byCertificate, as });
    const { url, checks } = await askForCode(config);
    const back = await signIn(url);
    t.like(await t.throwsAsync(client.authorizationCodeGrant(other, back, checks)), { error });
    t.is((await client.authorizationCodeGrant(config, back, checks)).claims()?.sub, "user-alice");
  });
}

test.serial(
  "openid-client: another verifier than the request's gets no tokens, and the code works afterwards",
  async (t) => {
    const config = await discover(t, opaque, byCertificate);
    const { url, checks } = await askForCode(config);
    const back = await signIn(url);
    const wrong = { ...checks, pkceCodeVerifier: client.randomPKCECodeVerifier() };
    t.like(await t.throwsAsync(client.authorizationCodeGrant(config, back, wrong)), { error: "invalid_grant" });
    await t.notThrowsAsync(client.authorizationCodeGrant(config, back, checks));
  },
);

test.serial(
  "openid-client: a code that is used again is refused, and the tokens of the first time have ended",
  async (t) => {
    const config = await discover(t, opaque, byCertificate);
    const { url, checks } = await askForCode(config);
    const back = await signIn(url);
    const { access_token: token, refresh_token: refreshToken } = await client.authorizationCodeGrant(
      config,
      back,
      checks,
    );
    t.like(await t.throwsAsync(client.authorizationCodeGrant(config, back, checks)), { error: "invalid_grant" });
    t.deepEqual(await client.tokenIntrospection(await discoverAsApi(t, opaque), token), { active: false });
    t.like(await t.throwsAsync(client.refreshTokenGrant(config, refreshToken ?? "")), { error: "invalid_grant" });
  },
);

test.serial(
  "openid-client: a refresh token that is used again after its successor ends the whole family",
  async (t) => {
    const config = await discover(t, opaque, byCertificate);
    const first = await getTokens(config);
    const second = await client.refreshTokenGrant(config, refreshTokenOf(first));
    // Its answer may have been lost: the same question has the same answer.
    const again = await client.refreshTokenGrant(config, refreshTokenOf(first));
    t.is(refreshTokenOf(again), refreshTokenOf(second));
    const third = await client.refreshTokenGrant(config, refreshTokenOf(second));
    t.like(await t.throwsAsync(client.refreshTokenGrant(config, refreshTokenOf(first))), { error: "invalid_grant" });
    const asker = await discoverAsApi(t, opaque);
    for (const { access_token: token } of [first, second, third]) {
      t.deepEqual(await client.tokenIntrospection(asker, token), { active: false });
    }
    t.like(await t.throwsAsync(client.refreshTokenGrant(config, refreshTokenOf(third))), { error: "invalid_grant" });
  },
);

test.serial(
  "openid-client: a public client's refresh token works with its own certificate only, every time",
  async (t) => {
    const config = await discover(t, opaque, publicClient);
    const tokens = await getTokens(config);
    const thief = await discover(t, opaque, { ...publicClient, as: stranger });
    t.like(await t.throwsAsync(client.refreshTokenGrant(thief, refreshTokenOf(tokens))), { error: "invalid_grant" });
    const { access_token: token } = await client.refreshTokenGrant(config, refreshTokenOf(tokens));
    const { cnf } = await client.tokenIntrospection(await discoverAsApi(t, opaque), token);
    t.deepEqual(cnf, { "x5t#S256": k3.x5tS256 });
  },
);

test.serial("openid-client: userinfo is for the certificate of the token", async (t) => {
  const { access_token: token } = await getTokens(await discover(t, opaque, byCertificate));
  const thief = await discover(t, opaque, { ...byCertificate, as: stranger });
  t.like(await t.throwsAsync(client.fetchUserInfo(thief, token, "user-alice")), {
    status: 401,
    cause: [{ scheme: "bearer", parameters: { error: "invalid_token" } }],
  });
});

test.serial(
  "openid-client: a signed-in user who consented returns at once, also with prompt=none; others do not",
  async (t) => {
    const config = await discover(t, opaque, byCertificate);
    const browser = openPlainBrowser();
    const stranded = await askForCode(config, { prompt: "none" });
    const { left: refused } = await browser.open(stranded.url.href);
    if (refused === undefined) throw new Error("The browser was not led back to the client.");
    t.like(await t.throwsAsync(client.authorizationCodeGrant(config, refused, stranded.checks)), {
      code: "OAUTH_AUTHORIZATION_RESPONSE_ERROR",
      error: "login_required",
    });
    await signIn((await askForCode(config)).url, browser);
    for (const more of [{}, { prompt: "none" }]) {
      const { url, checks } = await askForCode(config, more);
      const { left } = await browser.open(url.href);
      if (left === undefined) throw new Error("The browser was not led back to the client.");
      t.is((await client.authorizationCodeGrant(config, left, checks)).claims()?.sub, "user-alice");
    }
  },
);

test.serial("openid-client: a user's refusal reaches the client as access_denied", async (t) => {
  const config = await discover(t, opaque, byCertificate);
  const { url, checks } = await askForCode(config, { prompt: "login consent" });
  const login = await openPlainBrowser().open(url.href);
  const consent = await login.submit(alice, "login");
  t.is(consent.title, "Allow access");
  const { left } = await consent.submit({}, "deny");
  if (left === undefined) throw new Error("The browser was not led back to the client.");
  t.like(await t.throwsAsync(client.authorizationCodeGrant(config, left, checks)), { error: "access_denied" });
});

test.serial("openid-client takes an answer that comes by form_post", async (t) => {
  const config = await discover(t, opaque, byCertificate);
  const { url, checks } = await askForCode(config, { response_mode: "form_post", prompt: "login consent" });
  const login = await openPlainBrowser().open(url.href);
  const consent = await login.submit(alice, "login");
  const page = await consent.submit({}, "allow");
  t.is(/<form\b[^>]*\saction="([^"]*)"/.exec(page.answer.body)?.[1], redirectUri);
  const body = new URLSearchParams(page.fields.map(([...pair]) => pair));
  const posted = new Request(redirectUri, { method: "POST", body });
  t.is((await client.authorizationCodeGrant(config, posted, checks)).claims()?.sub, "user-alice");
});

test.serial(
  "openid-client rejects an answer without iss or with another issuer's: the server sends it (RFC 9207)",
  async (t) => {
    const config = await discover(t, opaque, byCertificate);
    const { url, checks } = await askForCode(config);
    const back = await signIn(url);
    t.is(back.searchParams.get("iss"), opaque.issuer);
    for (const iss of ["https://other.example.com", `${opaque.issuer}/`, undefined]) {
      const forged = new URL(back);
      if (iss === undefined) forged.searchParams.delete("iss");
      else forged.searchParams.set("iss", iss);
      const error = await t.throwsAsync(client.authorizationCodeGrant(config, forged, checks));
      // Its own refusal: the server was not asked.
      t.like(error, { code: "OAUTH_INVALID_RESPONSE" });
      t.regex((error.cause as Error).message, /"iss" \(issuer\)/);
    }
    await t.notThrowsAsync(client.authorizationCodeGrant(config, back, checks));
  },
);

test.serial(
  "openid-client without the aliases fails if only they lead to a server that asks for certificates",
  async (t) => {
    const config = await client.discovery(new URL(jwts.issuer), "1", {}, client.TlsClientAuth(), {
      [client.customFetch]: fetchAs(t, k1),
    });
    await t.throwsAsync(client.clientCredentialsGrant(config));
    const { mtls_endpoint_aliases: aliases, token_endpoint: plain } = config.serverMetadata();
    t.is(aliases?.token_endpoint, `${jwts.mutualTls}/token`);
    t.is(plain, `${jwts.issuer}/token`);
  },
);

test.serial("9700-2.6: the metadata is published, and a user named like a client gets no tokens", async (t) => {
  const paths = ["openid-configuration", "oauth-authorization-server"];
  const documents = await Promise.all(
    [opaque.issuer, opaque.mutualTls].flatMap((origin) =>
      paths.map(async (path) => (await fetchAs(t)(`${origin}/.well-known/${path}`, {})).json()),
    ),
  );
  for (const document of documents) t.deepEqual(document, documents[0]);
  t.like(documents[0], { issuer: opaque.issuer, authorization_endpoint: `${opaque.issuer}/authorize` });

  // "user-bob" is the alias of a client, and its `sub` and `client_id` are that.
  const sameName = { ...byCertificate, clientId: "user-bob", as: k3 };
  const config = await discover(t, opaque, {
    ...sameName,
    authentication: () => client.ClientSecretBasic(clientSecret),
  });
  const { access_token: own } = await client.clientCredentialsGrant(config, { scope: "read" });
  t.like(await client.tokenIntrospection(await discoverAsApi(t, opaque), own), {
    active: true,
    client_id: "user-bob",
  });
  const { url } = await askForCode(await discover(t, opaque, byCertificate), { prompt: "login consent" });
  const login = await openPlainBrowser().open(url.href);
  const consent = await login.submit(bob, "login");
  t.is(consent.title, "Allow access");
  const { answer, left } = await consent.submit({}, "allow");
  t.is(left?.searchParams.get("code") ?? undefined, undefined);
  t.true(left !== undefined || answer.status >= 400, `${answer.status}`);
});

/** `at_hash` (OpenID Connect Core §3.1.3.6) for an ID token by ES256. */
function leftHalf(accessToken: string): string {
  return createHash("sha256").update(accessToken, "ascii").digest().subarray(0, 16).toString("base64url");
}
