import { createSecretKey, randomUUID } from "node:crypto";
import test from "ava";
import { SignJWT } from "jose";
import { assertErrorForm } from "../support/error-form.ts";
import { accessTokenOf } from "../support/deployment.ts";
import { authorization, startGrants, tokensOf } from "./grants-deployment.ts";
import { grantsClient, k1 } from "../support/grants.ts";
import { basic, postForm, type HttpAnswer } from "../support/https-request.ts";
import { codeVerifier, redirectUri } from "../support/authorization.ts";
import { clientSettings, jwksOf, secretOf } from "../support/settings.ts";

const scopeOf = (answer: HttpAnswer): unknown => (JSON.parse(answer.body) as { scope?: unknown }).scope;
const exchangeForm = (code: string) => ({
  grant_type: "authorization_code",
  code,
  redirect_uri: redirectUri,
  code_verifier: codeVerifier,
});

test("6749-2.2, 6749-3.2.1: a confidential client with only its client_id gets invalid_client, every grant", async (t) => {
  const { code, begin, token, exchange, refresh } = await startGrants(t, {
    supportedGrantTypes: ["AUTHORIZATION_CODE", "REFRESH_TOKEN", "CLIENT_CREDENTIALS", "PASSWORD"],
  });
  const kept = await code();
  const { refreshToken } = await begin();
  for (const form of [
    { grant_type: "client_credentials" },
    exchangeForm(kept.code),
    { grant_type: "refresh_token", refresh_token: refreshToken },
    { grant_type: "password", username: "john", password: "secret" },
  ]) {
    assertErrorForm(t, await token({ ...form, client_id: "1" }, k1), "invalid_client", [400, 401]);
  }
  tokensOf(t, await exchange(kept.code));
  tokensOf(t, await refresh(refreshToken));
});

test("6749-2.3-a: two methods of authentication at once are refused, and nothing is used by it", async (t) => {
  const mutual = grantsClient({ clientId: 2, tokenAuthMethod: "SELF_SIGNED_TLS_CLIENT_AUTH", jwks: jwksOf(k1) });
  const signing = grantsClient({ clientId: 4, tokenAuthMethod: "CLIENT_SECRET_JWT" });
  const { code, exchange } = await startGrants(t, {}, [mutual, signing]);
  const kept = await code();
  const assertion = await assertionOf(1);
  for (const form of [{ client_id: "1", client_secret: secretOf(1) }, { client_secret: secretOf(1) }, assertion]) {
    const answer = await exchange(kept.code, form);
    assertErrorForm(t, answer, "invalid_client", [400, 401]);
  }
  tokensOf(t, await exchange(kept.code));
  const other = await code({ clientId: 2 });
  const secret = { client_id: "2", client_secret: secretOf(2) };
  assertErrorForm(t, await exchange(other.code, secret, k1, {}), "invalid_client", [400, 401]);
  const header = { authorization: basic(2, secretOf(2)) };
  assertErrorForm(t, await exchange(other.code, {}, k1, header), "invalid_client", [400, 401]);
  tokensOf(t, await exchange(other.code, { client_id: "2" }, k1, {}));
  // An assertion that is good by itself, and is still good afterwards.
  const third = await code({ clientId: 4 });
  const good = await assertionOf(4);
  for (const [form, headers] of [
    [good, { authorization: basic(4, secretOf(4)) }],
    [{ ...good, client_id: "4", client_secret: secretOf(4) }, {}],
  ] as const) {
    assertErrorForm(t, await exchange(third.code, form, k1, headers), "invalid_client", [400, 401]);
  }
  tokensOf(t, await exchange(third.code, good, k1, {}));
});

async function assertionOf(clientId: number): Promise<Record<string, string>> {
  const id = String(clientId);
  const assertion = new SignJWT({ iss: id, sub: id, aud: "https://as.example.com", jti: randomUUID() });
  const key = createSecretKey(secretOf(clientId), "utf8");
  return {
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: await assertion.setProtectedHeader({ alg: "HS256" }).setExpirationTime("1m").sign(key),
  };
}

test("6749-2.3.1-a: Basic credentials are form-decoded; one that cannot be is a 401", async (t) => {
  const odd = "p:a%s+s é/=&";
  const { code, exchange } = await startGrants(t, {}, [grantsClient({ clientId: 1, clientSecret: odd })]);
  const kept = await code();
  const raw = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString("base64")}` });
  for (const credentials of ["1:%zz", "%zz:secret", `1:${odd}`, "1:%", "1"]) {
    assertErrorForm(t, await exchange(kept.code, {}, k1, raw(credentials)), "invalid_client", [401]);
  }
  tokensOf(t, await exchange(kept.code, {}, k1, { authorization: basic(1, odd) }));
});

test("6749-2.3.1-b: a client_id or a secret in the query counts for nothing", async (t) => {
  const post = grantsClient({ clientId: 1, tokenAuthMethod: "CLIENT_SECRET_POST" });
  const { code, url } = await startGrants(t, {}, [post]);
  const kept = await code();
  const both = { client_id: "1", client_secret: secretOf(1) };
  const ask = (query: Record<string, string>, form: Record<string, string>) =>
    postForm(
      { url: `${url}/token?${new URLSearchParams(query).toString()}`, as: k1 },
      { ...exchangeForm(kept.code), ...form },
    );
  assertErrorForm(t, await ask(both, {}), "invalid_request", [400, 401]);
  assertErrorForm(
    t,
    await ask({ client_secret: both.client_secret }, { client_id: "1" }),
    "invalid_client",
    [400, 401],
  );
  assertErrorForm(
    t,
    await ask({ client_id: "1" }, { client_secret: both.client_secret }),
    "invalid_request",
    [400, 401],
  );
  tokensOf(t, await ask({}, both));
});

test("6749-3.2-b: an empty parameter counts as absent: `scope=` is no scope, `code=` a missing one", async (t) => {
  const supportedScopes = [{ name: "read", defaultEntry: true }, { name: "write" }];
  const { begin, code, exchange, token, refresh } = await startGrants(t, { supportedScopes });
  t.is(scopeOf(await token({ scope: "" }, k1, { authorization })), "read");
  const kept = await code();
  assertErrorForm(t, await exchange(kept.code, { code: "" }), "invalid_request", [400]);
  tokensOf(t, await exchange(kept.code, { scope: "", resource: "", client_secret: "" }));
  const { refreshToken } = await begin();
  assertErrorForm(t, await refresh("", {}), "invalid_request", [400]);
  t.is(scopeOf(await refresh(refreshToken, { scope: "" })), "read write");
  assertErrorForm(t, await token({ grant_type: "" }, k1, { authorization }), "invalid_request", [400]);
});

test("6749-3.2-c: twenty unknown parameters change nothing", async (t) => {
  const { code, exchange, refresh } = await startGrants(t);
  const unknown = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`unknown_${index}`, "%0d\"'é"]));
  const withoutTokens = ({ status, body }: HttpAnswer) => ({
    status,
    body: body.replace(/"(access|refresh)_token":"[A-Za-z0-9_-]{43}"/g, '"$1_token":""'),
  });
  const plain = await exchange((await code()).code);
  const more = await exchange((await code()).code, unknown);
  t.deepEqual(withoutTokens(more), withoutTokens(plain));
  const [first, second] = [tokensOf(t, plain), tokensOf(t, more)];
  t.deepEqual(
    withoutTokens(await refresh(second.refreshToken, unknown)),
    withoutTokens(await refresh(first.refreshToken)),
  );
});

test("6749-3.2-d: a repeated parameter, equal, different or an array, is rejected, and no code is used", async (t) => {
  const post = grantsClient({ clientId: 1, tokenAuthMethod: "CLIENT_SECRET_POST" });
  const { code, url } = await startGrants(t, {}, [post]);
  const kept = await code();
  const form = { ...exchangeForm(kept.code), client_id: "1", client_secret: secretOf(1), scope: "read" };
  const whole = new URLSearchParams(form).toString();
  const ask = (body: string) => postForm({ url: `${url}/token`, as: k1 }, body);
  for (const [name, value] of Object.entries(form)) {
    const encoded = encodeURIComponent(value);
    for (const extra of [`${name}=${encoded}`, `${name}=other`, `${name}=`, `${name}[]=${encoded}`, `${name}[0]=x`]) {
      assertErrorForm(t, await ask(`${whole}&${extra}`), "invalid_request", [400]);
      assertErrorForm(t, await ask(`${extra}&${whole}`), "invalid_request", [400]);
    }
  }
  for (const name of ["refresh_token", "username", "password", "client_assertion", "client_assertion_type"]) {
    assertErrorForm(t, await ask(`${whole}&${name}=a&${name}=b`), "invalid_request", [400]);
    assertErrorForm(t, await ask(`${whole}&${name}[]=a`), "invalid_request", [400]);
  }
  tokensOf(t, await ask(whole));
});

test("6749-3.3-a: a scope that is granted in part is said, in the order asked and each once", async (t) => {
  const { token } = await startGrants(t);
  const ask = async (scope: string) => scopeOf(await token({ scope }, k1, { authorization }));
  t.is(await ask("read admin"), "read");
  t.is(await ask("admin write read write"), "write read");
  t.is(await ask("read write"), "read write");
});

test("6749-3.3-b: without scope the token has the service's defaults, if the service has any", async (t) => {
  const withDefaults = { supportedScopes: [{ name: "read", defaultEntry: true }, { name: "write" }] };
  for (const [service, scope] of [
    [withDefaults, "read"],
    [{}, undefined],
  ] as const) {
    const { token, facts } = await startGrants(t, service);
    const answer = await token({}, k1, { authorization });
    t.is(scopeOf(answer), scope);
    t.is((await facts(accessTokenOf(t, answer)))["scope"], scope);
  }
});

test("6749-3.3-c: characters that no scope has are invalid_scope, in a token request and in a refresh", async (t) => {
  const { begin, token, refresh } = await startGrants(t);
  const { refreshToken } = await begin();
  for (const scope of [
    'read "',
    "read\\",
    "read \u0001",
    "read\twrite",
    "read\u0000",
    "rëad",
    "read\u007f",
    "read  write",
  ]) {
    assertErrorForm(t, await token({ scope }, k1, { authorization }), "invalid_scope", [400]);
    assertErrorForm(t, await refresh(refreshToken, { scope }), "invalid_scope", [400]);
  }
  tokensOf(t, await refresh(refreshToken));
});

test("6749-4.4.2: a public client gets no token with client credentials, though it declared the grant", async (t) => {
  const { token } = await startGrants(t);
  assertErrorForm(t, await token({ client_id: "3" }, k1), "unauthorized_client", [400]);
  assertErrorForm(t, await token({ client_id: "3" }), "unauthorized_client", [400]);
});

test("6749-4.4.3: client credentials give no refresh token, even if service and client have refresh", async (t) => {
  const { token } = await startGrants(t);
  const answer = await token({}, k1, { authorization });
  accessTokenOf(t, answer);
  t.false("refresh_token" in (JSON.parse(answer.body) as object));
});

test("6749-5.1-a: each answer has access_token, token_type and the expires_in that introspection confirms", async (t) => {
  const now = Date.now();
  const { code, exchange, refresh, token, facts } = await startGrants(t, { accessTokenDuration: 1234 }, [], () => now);
  const exchanged = await exchange((await code()).code);
  const answers = [
    exchanged,
    await refresh(tokensOf(t, exchanged).refreshToken),
    await token({}, k1, { authorization }),
  ];
  for (const answer of answers) {
    const { token_type: type, expires_in: expiresIn } = JSON.parse(answer.body) as Record<string, unknown>;
    t.is(type, "Bearer");
    t.is(expiresIn, 1234);
    const { exp } = (await facts(accessTokenOf(t, answer))) as { exp: number };
    t.true(Math.abs(exp - now / 1000 - 1234) <= 1);
  }
});

test("6749-5.2-a: each cause has its error", async (t) => {
  const codeOnly = clientSettings({ clientId: 4, grantTypes: ["AUTHORIZATION_CODE"] });
  const { token, exchange, refresh, code } = await startGrants(t, {}, [codeOnly]);
  const asFour = { authorization: basic(4, secretOf(4)) };
  const table: readonly (readonly [HttpAnswer, string])[] = [
    [await token({ client_id: "99" }, k1), "invalid_client"],
    [await token({}, k1, { authorization: basic(99, "secret") }), "invalid_client"],
    [await token({}, k1, { authorization: basic(1, "wrong") }), "invalid_client"],
    [await exchange("x".repeat(43)), "invalid_grant"],
    [await refresh("x".repeat(43)), "invalid_grant"],
    [await token({}, k1, asFour), "unauthorized_client"],
    [await refresh("x", {}, k1, asFour), "unauthorized_client"],
    [await token({ grant_type: "implicit" }, k1, { authorization }), "unsupported_grant_type"],
    [await token({ grant_type: "Authorization_Code" }, k1, { authorization }), "unsupported_grant_type"],
    [
      await token({ grant_type: "password", username: "a", password: "b" }, k1, { authorization }),
      "unsupported_grant_type",
    ],
    [await token({ scope: "other" }, k1, { authorization }), "invalid_scope"],
    [await token({ grant_type: undefined }, k1, { authorization }), "invalid_request"],
    [await token({ grant_type: "authorization_code" }, k1, { authorization }), "invalid_request"],
    [await token({ grant_type: "refresh_token" }, k1, { authorization }), "invalid_request"],
    [await token({ resource: "relative" }, k1, { authorization }), "invalid_target"],
  ];
  for (const [answer, error] of table) assertErrorForm(t, answer, error, [400, 401]);
  const { code: value } = await code();
  tokensOf(t, await exchange(value));
});
