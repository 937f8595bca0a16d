import test, { type ExecutionContext } from "ava";
import {
  authorizationEndpoint,
  discoveryEndpoint,
  html,
  jwksEndpoint,
  nodeHandler,
  revocationEndpoint,
  tokenEndpoint,
  userInfoEndpoint,
} from "../../src/authorization-server/index.ts";
import { createAuthority } from "../support/certificates.ts";
import { startDeployment } from "../support/deployment.ts";
import { serveMutualTls } from "../support/mutual-tls.ts";
import { basic, postForm, send, type HttpAnswer } from "../support/https-request.ts";
import { clientSettings, secretOf, serviceSettings } from "../support/settings.ts";
import { createServiceKey, serviceJwks } from "../support/signing-keys.ts";

const authority = createAuthority({ subject: "CN=Client CA" });
const certificate = authority.issue({ subject: "CN=client" });
const other = authority.issue({ subject: "CN=other" });
const key = createServiceKey("P256", "key-1");
const redirectUri = "https://app.example.com/cb";
/** RFC 7636 App. B. */
const codeVerifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const codeChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/** A whole authorization server over a whole backend: every endpoint, a page and a user table. */
async function startWorld(t: ExecutionContext) {
  const grantTypes = ["AUTHORIZATION_CODE", "REFRESH_TOKEN", "PASSWORD"] as const;
  const common = { grantTypes, redirectUris: [redirectUri], idTokenSignAlg: "ES256" } as const;
  const { api: backend } = await startDeployment(t, {
    service: serviceSettings({
      supportedGrantTypes: grantTypes,
      supportedScopes: ["openid", "email", "read"].map((name) => ({ name })),
      trustedRootCertificates: [authority.certificate.pem],
      jwks: serviceJwks([key]),
    }),
    clients: [
      clientSettings({
        ...common,
        clientId: 1,
        tokenAuthMethod: "TLS_CLIENT_AUTH",
        tlsClientAuthSubjectDn: "CN=client",
      }),
      clientSettings({ ...common, clientId: 2 }),
    ],
  });
  const users = {
    authenticate: (username: string, password: string) =>
      username === "alice" && password === "wonderland" ? { subject: "user-1" } : undefined,
    claims: () => ({ email: "alice@example.com", name: "Alice" }),
  };
  const options = { backend, realm: "test" };
  const url = await serveMutualTls(
    t,
    nodeHandler({
      "/authorize": authorizationEndpoint({
        ...options,
        users,
        cookieKey: new Uint8Array(32).fill(3),
        pages: {
          login: ({ form }) => ({ title: "login", body: form(html`<button>Sign in</button>`) }),
          consent: ({ form }) => ({ title: "consent", body: form(html`<button>Allow</button>`) }),
        },
      }),
      "/token": tokenEndpoint({ ...options, authenticateUser: users.authenticate }),
      "/revoke": revocationEndpoint(options),
      "/userinfo": userInfoEndpoint({ ...options, claims: users.claims }),
      "/jwks": jwksEndpoint(options),
      "/.well-known/oauth-authorization-server": discoveryEndpoint(options),
    }),
  );
  const cookies = new Map<string, string>();
  const cookie = (): string => [...cookies].map((pair) => pair.join("=")).join("; ");
  const submit = (form: Readonly<Record<string, string>> | string, path = "/authorize") =>
    postForm({ url: url + path, headers: { cookie: cookie() } }, form);
  const keep = (answer: HttpAnswer): string => {
    for (const line of answer.headers["set-cookie"] ?? []) {
      const [name = "", value = ""] = (line.split(";")[0] ?? "").split("=");
      cookies.set(name, value);
    }
    return /name="interaction" value="([^"]+)"/.exec(answer.body)?.[1] ?? "";
  };
  return {
    url,
    submit,
    keep,
    cookie,
    /** Signs in, agrees, and answers where the browser is led. */
    async authorize(
      changes: Readonly<Record<string, string>> = {},
      granted: readonly string[] = ["openid", "email", "read"],
    ): Promise<URL> {
      const query = new URLSearchParams({
        response_type: "code",
        client_id: "1",
        redirect_uri: redirectUri,
        scope: "openid email read",
        state: "s",
        code_challenge: codeChallenge,
        code_challenge_method: "S256",
        ...changes,
      }).toString();
      const login = keep(await send({ url: `${url}/authorize?${query}` }));
      const consent = keep(await submit({ interaction: login, username: "alice", password: "wonderland" }));
      const scopes = granted.map((scope) => `&scope=${scope}`).join("");
      const end = await submit(`interaction=${encodeURIComponent(consent)}&decision=allow${scopes}`);
      t.is(end.status, 303, end.body);
      t.is(end.body, "");
      return new URL(end.headers.location ?? "");
    },
    token: (form: Readonly<Record<string, string>>, as = certificate, headers = {}) =>
      postForm({ url: `${url}/token`, as, headers }, { client_id: "1", ...form }),
  };
}

const exchange = (code: string) => ({
  grant_type: "authorization_code",
  code,
  redirect_uri: redirectUri,
  code_verifier: codeVerifier,
});

test("a user signs in, and the client gets tokens that are worth nothing without its certificate", async (t) => {
  const world = await startWorld(t);
  const arrival = await world.authorize();
  t.is(arrival.origin + arrival.pathname, redirectUri);
  t.is(arrival.searchParams.get("state"), "s");
  t.is(arrival.searchParams.get("iss"), "https://as.example.com");
  const answer = await world.token(exchange(arrival.searchParams.get("code") ?? ""));
  t.is(answer.status, 200, answer.body);
  const { access_token: token } = JSON.parse(answer.body) as { access_token: string };
  const userInfo = (as?: typeof certificate, method = "GET") =>
    send({ url: `${world.url}/userinfo`, as, method, headers: { authorization: `Bearer ${token}` } });
  for (const method of ["GET", "POST"]) {
    const told = await userInfo(certificate, method);
    t.is(told.status, 200);
    t.deepEqual(JSON.parse(told.body), { sub: "user-1", email: "alice@example.com" });
  }
  for (const as of [undefined, other]) {
    const refused = await userInfo(as);
    t.is(refused.status, 401);
    t.regex(refused.headers["www-authenticate"] ?? "", /^Bearer .*error="invalid_token"/);
    t.is(refused.body, "");
  }
});

test("6749-3.2-a: the token endpoint takes POST alone, and any other method leaves the code usable", async (t) => {
  const world = await startWorld(t);
  const code = (await world.authorize()).searchParams.get("code") ?? "";
  const form = new URLSearchParams({ client_id: "1", ...exchange(code) }).toString();
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  for (const method of ["GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]) {
    const body = ["PUT", "PATCH"].includes(method) ? { body: form } : {};
    const answer = await send({ url: `${world.url}/token?${form}`, method, as: certificate, headers, ...body });
    t.is(answer.status, 405, method);
    t.is(answer.headers.allow, "POST");
  }
  t.is((await world.token(exchange(code))).status, 200);
});

test("6749-5.1-b: responses of the token endpoint are never cached, tokens and errors alike", async (t) => {
  const world = await startWorld(t);
  const code = (await world.authorize()).searchParams.get("code") ?? "";
  for (const [answer, status] of [
    [await world.token(exchange("unknown")), 400],
    [await world.token({ grant_type: "unknown" }), 400],
    [await world.token(exchange(code)), 200],
    [await world.token({ grant_type: "password", username: "alice", password: "wonderland", scope: "read" }), 200],
    [await world.token({ grant_type: "password", username: "alice", password: "x" }), 400],
  ] as const) {
    t.is(answer.status, status, answer.body);
    t.is(answer.headers["cache-control"], "no-store");
    t.is(answer.headers.pragma, "no-cache");
  }
});

test("6749-5.2-b: wrong Basic credentials are 401 with a challenge; others that are wrong are 400", async (t) => {
  const { url } = await startWorld(t);
  const form = { grant_type: "authorization_code", code: "x", redirect_uri: redirectUri };
  const withHeader = await postForm({ url: `${url}/token`, headers: { authorization: basic(2, "wrong") } }, form);
  t.is(withHeader.status, 401);
  t.is(withHeader.headers["www-authenticate"], 'Basic realm="test", charset="UTF-8"');
  const inBody = await postForm({ url: `${url}/token` }, { ...form, client_id: "2", client_secret: `${secretOf(2)}x` });
  const byTls = await postForm({ url: `${url}/token`, as: other }, { ...form, client_id: "1" });
  for (const answer of [withHeader, inBody, byTls]) {
    t.is((JSON.parse(answer.body) as { error: string }).error, "invalid_client");
  }
  for (const answer of [inBody, byTls]) {
    t.is(answer.status, 400);
    t.is(answer.headers["www-authenticate"], undefined);
  }
});

test("6749-5.2-c: no error contains text from the request", async (t) => {
  const world = await startWorld(t);
  const hostile = 'zq\r\nset-cookie: x=1\r\n\r\n"\\<script>é😀';
  for (const name of [
    "grant_type",
    "code",
    "redirect_uri",
    "code_verifier",
    "scope",
    "client_id",
    "resource",
    hostile,
  ]) {
    const answer = await world.token({ ...exchange("x"), [name]: hostile });
    t.is(answer.status, 400, name);
    t.is(answer.headers["set-cookie"], undefined);
    t.notRegex(answer.body, /zq|[<>]|😀/);
    for (const [member, text] of Object.entries(JSON.parse(answer.body) as Record<string, string>)) {
      // RFC 6749 §5.2: printable ASCII without quotation mark and backslash.
      t.regex(text, /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/, member);
    }
  }
});

test("7009-2.2-b: an unknown hint is ignored, and the token is revoked", async (t) => {
  const world = await startWorld(t);
  const code = (await world.authorize()).searchParams.get("code") ?? "";
  const tokens = JSON.parse((await world.token(exchange(code))).body) as { access_token: string };
  const form = { client_id: "1", token: tokens.access_token, token_type_hint: "no_such_hint" };
  const answer = await postForm({ url: `${world.url}/revoke`, as: certificate }, form);
  t.is(answer.status, 200);
  t.is(answer.body, "");
  const headers = { authorization: `Bearer ${tokens.access_token}` };
  t.is((await send({ url: `${world.url}/userinfo`, as: certificate, headers })).status, 401);
});

test("6749-10.12-16: a form needs its browser, no page is framed, and no redirect is unchecked", async (t) => {
  const world = await startWorld(t);
  const query = `response_type=code&client_id=1&scope=read&state=s&code_challenge=${codeChallenge}&code_challenge_method=S256`;
  const own = `&redirect_uri=${encodeURIComponent(redirectUri)}`;
  // 10.12: without the cookie, and with another browser's.
  const page = await send({ url: `${world.url}/authorize?${query}${own}` });
  const interaction = /name="interaction" value="([^"]+)"/.exec(page.body)?.[1] ?? "";
  const stolen = { interaction, username: "alice", password: "wonderland" };
  t.is((await world.submit(stolen)).status, 400);
  world.keep(await send({ url: `${world.url}/authorize?${query}${own}` }));
  t.is((await world.submit(stolen)).status, 400);
  // 10.13
  t.is(page.headers["x-frame-options"], "DENY");
  t.regex(String(page.headers["content-security-policy"]), /frame-ancestors 'none'/);
  // 10.14
  const hostile = await send({
    url: `${world.url}/authorize?${query}${own}&login_hint=%3Cscript%3E&ui_locales=%22%3E`,
  });
  t.is(hostile.status, 200);
  t.false(hostile.body.includes("<script"));
  // 10.15
  for (const uri of [
    "https://evil.example.com/cb",
    `${redirectUri}/..`,
    `${redirectUri}%0d%0a`,
    "//evil.example.com",
  ]) {
    const answer = await send({ url: `${world.url}/authorize?${query}&redirect_uri=${encodeURIComponent(uri)}` });
    t.is(answer.status, 400);
    t.is(answer.headers.location, undefined);
  }
  // 10.16: no client can be handed a token that another was given: none leaves by the browser, also for a user who is
  // signed in, and elsewhere than with its own client's certificate it says nothing of anybody.
  const code = (await world.authorize()).searchParams.get("code") ?? "";
  for (const responseType of ["token", "id_token", "id_token token", "code token", "code id_token", "none"]) {
    const changed = query.replace("response_type=code", `response_type=${encodeURIComponent(responseType)}`);
    const headers = { cookie: world.cookie() };
    const { status, headers: sent } = await send({ url: `${world.url}/authorize?${changed}${own}`, headers });
    t.is(status, 303);
    const arrival = new URL(sent.location ?? "");
    t.is(arrival.hash, "");
    t.deepEqual([...arrival.searchParams.keys()].sort(), ["error", "error_description", "iss", "state"]);
    t.is(arrival.searchParams.get("error"), "unsupported_response_type");
  }
  const { access_token: token } = JSON.parse((await world.token(exchange(code))).body) as { access_token: string };
  const headers = { authorization: `Bearer ${token}` };
  t.is((await send({ url: `${world.url}/userinfo`, as: certificate, headers })).status, 200);
  for (const as of [undefined, other]) {
    const refused = await send({ url: `${world.url}/userinfo`, as, headers });
    t.is(refused.status, 401);
    t.is(refused.body, "");
  }
});

test("a scope that the user unticked gives nothing away, not by the names of its claims either", async (t) => {
  const world = await startWorld(t);
  const claims = JSON.stringify({ userinfo: { email: null, name: null }, id_token: { email: null } });
  for (const [granted, told] of [
    ["openid read", { sub: "user-1", name: "Alice" }],
    ["openid read email", { sub: "user-1", name: "Alice", email: "alice@example.com" }],
  ] as const) {
    const code = (await world.authorize({ claims }, granted.split(" "))).searchParams.get("code") ?? "";
    const answer = JSON.parse((await world.token(exchange(code))).body) as Record<"access_token" | "id_token", string>;
    const headers = { authorization: `Bearer ${answer.access_token}` };
    const userInfo = await send({ url: `${world.url}/userinfo`, as: certificate, headers });
    t.deepEqual(JSON.parse(userInfo.body), told);
    const { email } = JSON.parse(Buffer.from(answer.id_token.split(".")[1] ?? "", "base64url").toString()) as {
      email?: string;
    };
    t.is(email, "email" in told ? told.email : undefined);
  }
});

test("a form that is sent again after its answer shows that it is over", async (t) => {
  const world = await startWorld(t);
  const query = new URLSearchParams({
    response_type: "code",
    client_id: "1",
    redirect_uri: redirectUri,
    scope: "read",
    code_challenge: codeChallenge,
    code_challenge_method: "S256",
  }).toString();
  const login = world.keep(await send({ url: `${world.url}/authorize?${query}` }));
  const consent = world.keep(await world.submit({ interaction: login, username: "alice", password: "wonderland" }));
  const form = { interaction: consent, decision: "allow", scope: "read" };
  const answers = await Promise.all([world.submit(form), world.submit(form), world.submit(form)]);
  t.deepEqual(answers.map(({ status }) => status).sort(), [303, 400, 400]);
  for (const again of [await world.submit(form), await world.submit({ ...form, decision: "deny" })]) {
    t.is(again.status, 400);
    t.regex(again.body, /over already/);
  }
});

test("parameters of the query reach the authorization endpoint alone, and cookies too", async (t) => {
  const seen: object[] = [];
  const look = (request: object) => {
    seen.push(request);
    return Promise.resolve({ status: 200, headers: { "set-cookie": ["a=1", "b=2"] }, body: "" });
  };
  const url = await serveMutualTls(t, nodeHandler({ "/a": look, "/b": Object.assign(look, { forBrowsers: false }) }));
  const headers = { cookie: "x=1", origin: "https://o.example.com", "sec-fetch-site": "none" };
  const answer = await send({ url: `${url}/a?client_secret=x`, headers });
  t.deepEqual(answer.headers["set-cookie"], ["a=1", "b=2"]);
  const forBrowsers = Object.assign((request: object) => look(request), { forBrowsers: true });
  const browsers = await serveMutualTls(t, nodeHandler({ "/a": forBrowsers }));
  await send({ url: `${browsers}/a?b=?c`, headers });
  await send({ url: `${browsers}/a` });
  const plain = { method: "GET", address: "127.0.0.1", body: "", clientCertificatePath: [] };
  const { host } = new URL(browsers);
  t.deepEqual(seen, [
    plain,
    { ...plain, browser: { query: "b=?c", cookie: "x=1", host, origin: headers.origin, fetchSite: "none" } },
    { ...plain, browser: { query: "", host } },
  ]);
});

test("keys and metadata are there for everybody, and no private part of a key", async (t) => {
  const { url } = await startWorld(t);
  const metadata = await send({ url: `${url}/.well-known/oauth-authorization-server?patch=x` });
  t.is(metadata.status, 200);
  t.is((JSON.parse(metadata.body) as { issuer: string }).issuer, "https://as.example.com");
  const jwks = await send({ url: `${url}/jwks?includePrivateKeys=true` });
  const [published] = (JSON.parse(jwks.body) as { keys: Record<string, string>[] }).keys;
  t.is(published?.["kid"], "key-1");
  t.is(published?.["d"], undefined);
});
