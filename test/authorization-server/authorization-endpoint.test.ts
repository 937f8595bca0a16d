import { createHash } from "node:crypto";
import test from "ava";
import { authorizationEndpoint } from "../../src/authorization-server/index.ts";
import { escapeHtml, Html, html } from "../../src/authorization-server/interaction/html.ts";
import type { AuthorizationEndpointOptions } from "../../src/authorization-server/authorization-endpoint.ts";
import { sourceOf } from "../../src/authorization-server/interaction/interaction-pages.ts";
import { ApiError } from "../../src/contract/api-error.ts";
import { formPostPage, formPostScriptSource } from "../../src/oauth/authorization-response.ts";
import { createSignInWorld, interaction, plainPages, request, titleOf, users } from "./sign-in-world.ts";

const pageHeaders = {
  "cache-control": "no-store",
  pragma: "no-cache",
  "x-frame-options": "DENY",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

test("9700-2.1-b: a redirect from the backend is a 303, also after a form", async (t) => {
  const world = createSignInWorld();
  const location = "https://app.example.com/cb?error=invalid_scope";
  world.says.authAuthorization = { action: "LOCATION", responseContent: location };
  const answer = await world.openBrowser().get("a=%zz&b=1&b=2");
  t.deepEqual(answer, { status: 303, headers: { ...pageHeaders, location }, body: "" });
  t.deepEqual(world.asked, [{ operation: "authAuthorization", request: { parameters: "a=%zz&b=1&b=2" } }]);
  // An address that the backend has not checked is gone to by nobody: an error without a client stays here.
  const refused = { action: "BAD_REQUEST", responseContent: '{"error":"invalid_request"}' };
  world.says.authAuthorization = refused;
  const error = await world.openBrowser().get("redirect_uri=https%3A%2F%2Fevil.example.com");
  t.is(error.status, 400);
  t.is(error.headers["location"], undefined);
  world.says.authAuthorization = interaction;
  const browser = world.openBrowser();
  const consent = await browser.login(await browser.get());
  t.is((await browser.submit(consent, { decision: "allow", scope: "read" })).status, 303);
});

for (const [action, status] of [
  ["BAD_REQUEST", 400],
  ["INTERNAL_SERVER_ERROR", 500],
] as const) {
  test(`${action} of the authorization endpoint is ${status} with the backend's words as JSON`, async (t) => {
    const world = createSignInWorld();
    world.says.authAuthorization = { action, responseContent: '{"error":"x"}' };
    t.deepEqual(await world.openBrowser().get(), {
      status,
      headers: { "cache-control": "no-store", pragma: "no-cache", "content-type": "application/json" },
      body: '{"error":"x"}',
    });
  });
}

test("the backend's page that posts to the client may run its one script and no other", async (t) => {
  const world = createSignInWorld();
  const responseContent = formPostPage("https://app.example.com/cb", { code: "c" });
  world.says.authAuthorization = { action: "FORM", responseContent };
  const answer = await world.openBrowser().get();
  t.is(answer.status, 200);
  t.is(answer.body, responseContent);
  t.deepEqual(answer.headers, {
    ...pageHeaders,
    "content-type": "text/html;charset=UTF-8",
    "content-security-policy": `default-src 'none'; script-src ${formPostScriptSource}; base-uri 'none'; frame-ancestors 'none'`,
  });
});

const css = `'sha256-${createHash("sha256").update("p { color: red }").digest("base64")}'`;

for (const [formTargets, parameters, formAction] of [
  [undefined, request, "form-action 'self' https://app.example.com https:; "],
  [[], request, "form-action 'self' https://app.example.com; "],
  [["https://a.example.com"], request, "form-action 'self' https://app.example.com https://a.example.com; "],
  [[], "redirect_uri=com.example.app:/cb", "form-action 'self' com.example.app:; "],
  [[], "redirect_uri=http%3A%2F%2F127.0.0.1%3A4711%2Fcb", "form-action 'self' http://127.0.0.1:4711; "],
  [[], "redirect_uri=http%3A%2F%2F%5B%3A%3A1%5D%3A4711%2Fcb", "form-action 'self' http:; "],
  [[], "redirect_uri=https%3A%2F%2Fa%3Bscript-src%20*.example.com%2F", ""],
  [[], "client_id=1", ""],
] as const) {
  test(`the policy for ${parameters.slice(0, 60)}: ${formAction === "" ? "no form-action" : formAction}`, async (t) => {
    const world = createSignInWorld(formTargets === undefined ? {} : { formTargets });
    const { headers } = await world.openBrowser().get(parameters);
    const { "content-security-policy": policy, "set-cookie": cookie, ...others } = headers;
    t.truthy(cookie);
    t.deepEqual(others, { ...pageHeaders, "content-type": "text/html;charset=UTF-8" });
    t.is(policy, `default-src 'none'; style-src ${css}; ${formAction}base-uri 'none'; frame-ancestors 'none'`);
  });
}

test("a page without style has none in its policy, and a message may lead nowhere", async (t) => {
  const { login: loginPage, consent } = plainPages;
  const world = createSignInWorld({ pages: { login: loginPage, consent } });
  const browser = world.openBrowser();
  const login = await browser.get();
  t.false(String(login.headers["content-security-policy"]).includes("style"));
  t.false(login.body.includes("<style>"));
  const message = await browser.submit({ ...login, body: "" }, {});
  t.is(
    message.headers["content-security-policy"],
    "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  );
});

for (const [error, status, retry] of [
  [new ApiError(401, "A003204", "x"), 500, undefined],
  [new Error("x"), 503, "1"],
] as const) {
  test(`an authorization request that the backend does not take for ${error.name} is ${status}`, async (t) => {
    const world = createSignInWorld();
    world.says.authAuthorization = error;
    const answer = await world.openBrowser().get();
    t.is(answer.status, status);
    t.is(answer.headers["retry-after"], retry);
    t.deepEqual(world.failures, [error]);
  });
}

for (const method of ["HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
  test(`${method} at the authorization endpoint is 405 with Allow, without a request to the backend`, async (t) => {
    const world = createSignInWorld();
    const answer = await world.endpoint({ method, body: "", browser: { query: request } });
    t.is(answer.status, 405);
    t.is(answer.headers["allow"], "GET, POST");
    t.deepEqual(world.asked, []);
  });
}

const form = "application/x-www-form-urlencoded";

test("an authorization request by POST is led on to GET, as it came", async (t) => {
  const world = createSignInWorld();
  const body = 'a=1&a=2&b=%22%0d%0aset-cookie%3a+x&c=ü#?&d=&e=\r\n x"<>\\^`{|}[]😀';
  const answer = await world.endpoint({ method: "POST", contentType: form, body, browser: { query: "" } });
  t.is(answer.status, 303);
  const location = String(answer.headers["location"]);
  t.regex(location, /^\?[A-Za-z0-9._~!$&'()*+,;=:@/?%-]+$/);
  t.deepEqual([...new URLSearchParams(location)], [...new URLSearchParams(body)]);
  t.deepEqual(world.asked, []);
});

for (const [body, query] of [
  ["state=%zz&client_id=1", "?state=%zz&client_id=1"],
  ["state=%ff%2&a&&=", "?state=%ff%2&a&&="],
  ["a=1\r\n", "?a=1"],
  ["a=\ud800", "?a=%EF%BF%BD"],
  ["", "?"],
] as const) {
  test(`malformed parameters reach the backend alike by POST and by GET: ${JSON.stringify(body)}`, async (t) => {
    const world = createSignInWorld();
    const answer = await world.endpoint({ method: "POST", contentType: form, body, browser: { query: "" } });
    t.is(answer.headers["location"], query);
  });
}

for (const [what, contentType, body] of [
  ["a body of another type", "text/plain", "interaction=x"],
  ["a body of no type", undefined, "interaction=x"],
  ["more than a request line takes", form, `a=${"x".repeat(8192)}`],
] as const) {
  test(`a POST with ${what} is 400, without a request to the backend`, async (t) => {
    const world = createSignInWorld();
    const type = contentType === undefined ? {} : { contentType };
    const answer = await world.endpoint({ method: "POST", ...type, body, browser: { query: "" } });
    t.is(answer.status, 400);
    t.deepEqual(world.asked, []);
  });
}

const good: AuthorizationEndpointOptions = {
  backend: {} as never,
  users,
  pages: plainPages,
  cookieKey: new Uint8Array(32),
};

const describe = (value: unknown): string =>
  value instanceof Uint8Array ? `${value.length} octets` : `${typeof value} ${String(value)}`;

for (const [option, wrong] of [
  ["cookieKey", { cookieKey: new Uint8Array(31) }],
  ["cookieKey", { cookieKey: new Uint8Array(33) }],
  ["cookieKey", { cookieKey: "x".repeat(32) as never }],
  ["cookieKey", { cookieKey: undefined as never }],
  ["sessionDuration", { sessionDuration: -1 }],
  ["sessionDuration", { sessionDuration: 1.5 }],
  ["sessionDuration", { sessionDuration: "1" as never }],
] as const) {
  test(`authorizationEndpoint names the wrong option: ${option}, ${describe(Object.values(wrong)[0])}`, (t) => {
    const error = t.throws(() => authorizationEndpoint({ ...good, ...wrong }), { instanceOf: TypeError });
    t.is((error as TypeError & { code: string }).code, "ERR_INVALID_OPTION");
    t.true(error.message.startsWith(option));
  });
}

test("authorizationEndpoint makes pages with the machine's own clock and randomness", async (t) => {
  const world = createSignInWorld();
  const backend = {
    authAuthorization: () => Promise.resolve({ resultCode: "", resultMessage: "", ...interaction }) as never,
  } as never;
  const endpoint = authorizationEndpoint({ ...good, backend });
  t.true(endpoint.forBrowsers);
  const [one, two] = [
    await endpoint({ method: "GET", body: "", browser: { query: request } }),
    await endpoint({ method: "GET", body: "", browser: { query: request } }),
  ];
  t.is(titleOf(one), "login");
  t.notDeepEqual(one.headers["set-cookie"], two.headers["set-cookie"]);
  t.deepEqual(world.asked, []);
});

for (const [url, source] of [
  ["https://a.example.com/cb?x#y", "https://a.example.com"],
  ["https://A.example.com:443/cb", "https://a.example.com"],
  ["http://127.0.0.1:5000/", "http://127.0.0.1:5000"],
  ["http://[::1]:5000/", "http:"],
  ["https://ü.example.com/", "https://xn--tda.example.com"],
  ["https://a;b.example.com/", "https:"],
  ["com.example.app:/cb", "com.example.app:"],
  ["no address", undefined],
] as const) {
  test(`${url} as a source of a policy is ${source ?? "none"}`, (t) => {
    t.is(sourceOf(url), source);
  });
}

test("html escapes each value once, and leaves markup of its own", (t) => {
  const hostile = `<a href="x" title='y'>&amp;\``;
  const escaped = "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;&#96;";
  t.is(escapeHtml(hostile), escaped);
  t.is(html`<p>${hostile}</p>`.toString(), `<p>${escaped}</p>`);
  const inner = html`<i>${"&"}</i>`;
  t.true(inner instanceof Html);
  t.is(html`${inner}${[inner, inner]}${undefined}${false}${0}`.toString(), `${"<i>&amp;</i>".repeat(3)}0`);
  t.is(html`${["<b>"] as never}`.toString(), "&lt;b&gt;");
});
