import test from "ava";
import type { Consent, Consents } from "../../src/authorization-server/index.ts";
import type { ResultCode } from "../../src/backend/engine/answer/result.ts";
import { ApiError } from "../../src/contract/api-error.ts";
import {
  createSignInWorld,
  interaction,
  issued,
  failed,
  noInteraction,
  plainPages,
  request,
  sealedOf,
  start,
  ticket,
  titleOf,
} from "./sign-in-world.ts";

const seconds = start / 1000;
const both = { decision: "allow", scope: ["openid", "read"] };

test("login, consent and then the client: the ticket ends once, with the user, the time and the scopes", async (t) => {
  const world = createSignInWorld();
  const browser = world.openBrowser();
  const login = await browser.get();
  t.is(login.status, 200);
  t.is(titleOf(login), "login");
  world.pass(60);
  const consent = await browser.login(login);
  t.is(consent.status, 200);
  t.is(titleOf(consent), "consent");
  world.pass(60);
  const end = await browser.submit(consent, both);
  t.is(end.status, 303);
  t.is(end.headers["location"], issued.responseContent);
  t.is(end.body, "");
  t.deepEqual(world.asked, [
    { operation: "authAuthorization", request: { parameters: request } },
    {
      operation: "authAuthorizationIssue",
      request: { ticket, subject: "alice", authTime: seconds + 60, scopes: ["openid", "read"] },
    },
  ]);
  t.deepEqual(world.failures, []);
});

test("the ID token gets the claims that were asked for, as far as the user has them, and no others", async (t) => {
  const world = createSignInWorld({
    users: {
      authenticate: () => ({ subject: "u", acr: "gold" }),
      claims: (subject, names) => {
        t.deepEqual([subject, names], ["u", ["email", "name", "phone"]]);
        return { email: "u@example.com", "name#ja": "ユー", secret: "x", phone: undefined, name: null };
      },
    },
  });
  world.says.authAuthorization = { ...interaction, claims: ["email", "name", "phone"] };
  const browser = world.openBrowser();
  await browser.submit(await browser.login(await browser.get()), both);
  const { request: said } = world.asked[1] ?? {};
  const { claims, acr } = said as { claims: string; acr: string };
  t.deepEqual(JSON.parse(claims), { email: "u@example.com", "name#ja": "ユー" });
  t.is(acr, "gold");
});

test("only ticked scopes are granted, and only requested ones", async (t) => {
  const world = createSignInWorld();
  const browser = world.openBrowser();
  const consent = await browser.login(await browser.get());
  await browser.submit(consent, { decision: "allow", scope: ["read", "write", "read"] });
  t.deepEqual((world.asked[1]?.request as { scopes: string[] }).scopes, ["read"]);
});

for (const [what, form] of Object.entries({
  "no scope": { decision: "allow" },
  "another scope": { decision: "allow", scope: "x" },
})) {
  test(`to allow ${what} of those asked for is to deny`, async (t) => {
    const world = createSignInWorld();
    const browser = world.openBrowser();
    await browser.submit(await browser.login(await browser.get()), form);
    t.deepEqual(world.asked[1], { operation: "authAuthorizationFail", request: { ticket, reason: "DENIED" } });
  });
}

test("a request without scopes is granted without scopes", async (t) => {
  const world = createSignInWorld();
  world.says.authAuthorization = { ...interaction, scopes: undefined };
  const browser = world.openBrowser();
  await browser.submit(await browser.login(await browser.get()), { decision: "allow" });
  t.deepEqual(world.asked[1], {
    operation: "authAuthorizationIssue",
    request: { ticket, subject: "alice", authTime: seconds },
  });
});

for (const [step, decision, reason] of [
  ["login", "cancel", "NOT_AUTHENTICATED"],
  ["consent", "deny", "DENIED"],
] as const) {
  test(`${decision} on the ${step} page reaches the client as ${reason}`, async (t) => {
    const world = createSignInWorld();
    const browser = world.openBrowser();
    const login = await browser.get();
    const page = step === "login" ? login : await browser.login(login);
    const form = { decision, username: "alice", password: "alice-password", scope: "read" };
    const answer = await browser.submit(page, form);
    t.is(answer.headers["location"], failed.responseContent);
    t.deepEqual(world.asked.slice(1), [{ operation: "authAuthorizationFail", request: { ticket, reason } }]);
  });
}

test("a wrong password and an unknown user show the same page again, and the right password continues", async (t) => {
  const world = createSignInWorld();
  const browser = world.openBrowser();
  const login = await browser.get();
  const wrong = await browser.submit(login, { username: "alice", password: "x" });
  const unknown = await browser.submit(login, { username: "nobody", password: "x" });
  const missing = await browser.submit(login, {});
  t.is(wrong.status, 200);
  t.true(wrong.body.includes("<p>wrong</p>"));
  t.deepEqual(unknown, wrong);
  t.deepEqual(missing, wrong);
  t.false(browser.cookies.has("__Host-certbound-session"));
  t.is(titleOf(await browser.login(wrong)), "consent");
  t.is(world.asked.length, 1);
});

test("another account: the page asks for a login again, and the consent is the other user's", async (t) => {
  const world = createSignInWorld();
  const browser = world.openBrowser();
  const consent = await browser.login(await browser.get());
  const again = await browser.submit(consent, { decision: "switch" });
  t.is(titleOf(again), "login");
  await browser.submit(await browser.login(again, "bob"), both);
  t.is((world.asked[1]?.request as { subject: string }).subject, "bob");
});

test("an unknown decision is rejected, and the page still works", async (t) => {
  const world = createSignInWorld();
  const browser = world.openBrowser();
  const consent = await browser.login(await browser.get());
  for (const form of [{}, { decision: "" }, { decision: "ALLOW" }, { decision: "login" }]) {
    t.is((await browser.submit(consent, { scope: "read", ...form })).status, 400);
  }
  t.is(world.asked.length, 1);
  t.is((await browser.submit(consent, both)).status, 303);
});

test("a login page's form cannot consent: the step is in the seal", async (t) => {
  const world = createSignInWorld();
  const browser = world.openBrowser();
  const answer = await browser.submit(await browser.get(), both);
  t.is(titleOf(answer), "login");
  t.is(world.asked.length, 1);
});

/** What was granted before, by user and client; of the scopes alone when it is a list. */
const consents = (known: Readonly<Record<string, readonly string[] | Consent>>): Consents => {
  const granted = new Map<string, Consent[]>();
  for (const [key, one] of Object.entries(known)) {
    granted.set(key, ["scopes" in one ? one : { scopes: one, claims: [], resources: [] }]);
  }
  return {
    granted: (subject, clientId) => granted.get(`${subject} ${clientId}`) ?? [],
    grant: (subject, clientId, consent) => {
      const key = `${subject} ${clientId}`;
      granted.set(key, [...(granted.get(key) ?? []), consent]);
    },
  };
};

test("prompt=none after login and consent is answered without a page, with the time of that login", async (t) => {
  const world = createSignInWorld({ consents: consents({}) });
  const browser = world.openBrowser();
  await browser.submit(await browser.login(await browser.get()), both);
  world.says.authAuthorization = noInteraction;
  world.pass(100);
  const silent = await browser.get();
  t.is(silent.status, 303);
  t.is(silent.headers["location"], issued.responseContent);
  t.deepEqual(world.asked.at(-1), {
    operation: "authAuthorizationIssue",
    request: { ticket, subject: "alice", authTime: seconds, scopes: ["openid", "read"] },
  });
});

for (const [what, change, granted, reason] of [
  ["no session", {}, {}, "NOT_LOGGED_IN"],
  ["no consent", {}, {}, "CONSENT_REQUIRED"],
  ["consent to less", {}, { "alice 4711": ["read"] }, "CONSENT_REQUIRED"],
  ["consent for another client", {}, { "alice 4712": ["openid", "read"] }, "CONSENT_REQUIRED"],
  ["consent of another user", {}, { "bob 4711": ["openid", "read"] }, "CONSENT_REQUIRED"],
  ["another user asked for", { subject: "bob" }, { "alice 4711": ["openid", "read"] }, "DIFFERENT_SUBJECT"],
  ["max_age exceeded", { maxAge: 100, maxAgeRequested: true }, { "alice 4711": ["openid", "read"] }, "EXCEEDS_MAX_AGE"],
  ["max_age=0", { maxAge: 0, maxAgeRequested: true }, { "alice 4711": ["openid", "read"] }, "EXCEEDS_MAX_AGE"],
  [
    "an essential acr",
    { acrs: ["gold"], acrEssential: true },
    { "alice 4711": ["openid", "read"] },
    "ACR_NOT_SATISFIED",
  ],
] as const) {
  test(`prompt=none with ${what} reaches the client as ${reason}`, async (t) => {
    const world = createSignInWorld({ consents: consents(granted) });
    const browser = world.openBrowser();
    if (what !== "no session") await browser.login(await browser.get());
    world.says.authAuthorization = { ...noInteraction, ...change };
    world.pass(100);
    const answer = await browser.get();
    t.is(answer.status, 303);
    t.deepEqual(world.asked.at(-1), { operation: "authAuthorizationFail", request: { ticket, reason } });
  });
}

for (const [what, change, titles] of [
  ["nothing special", {}, ["", "issue"]],
  ["max_age that the login is within", { maxAge: 101, maxAgeRequested: true }, ["", "issue"]],
  ["max_age that a backend means as none", { maxAge: 0 }, ["", "issue"]],
  ["an acr that is not essential", { acrs: ["gold"] }, ["", "issue"]],
  ["the same user", { subject: "alice" }, ["", "issue"]],
  ["prompt=consent", { prompts: ["CONSENT"] }, ["consent"]],
  ["prompt=login", { prompts: ["LOGIN"] }, ["login", "issue"]],
  ["prompt=select_account", { prompts: ["SELECT_ACCOUNT"] }, ["login", "issue"]],
  ["prompt=login consent", { prompts: ["LOGIN", "CONSENT"] }, ["login", "consent"]],
  ["max_age exceeded", { maxAge: 100, maxAgeRequested: true }, ["login", "issue"]],
  ["max_age=0", { maxAge: 0, maxAgeRequested: true }, ["login", "issue"]],
  ["another user", { subject: "bob" }, ["login", "DIFFERENT_SUBJECT"]],
  ["an essential acr", { acrs: ["gold"], acrEssential: true }, ["login", "ACR_NOT_SATISFIED"]],
  ["a new scope", { scopes: [{ name: "read" }, { name: "new" }] }, ["consent"]],
] as const) {
  test(`a second request with ${what} leads to ${titles.join(" ").trim()}`, async (t) => {
    const world = createSignInWorld({ consents: consents({ "alice 4711": ["openid", "read"] }) });
    const browser = world.openBrowser();
    t.is((await browser.login(await browser.get())).status, 303);
    world.pass(100);
    world.says.authAuthorization = { ...interaction, ...change };
    world.asked.length = 0;
    const [first, second] = titles;
    const answer = await browser.get();
    t.is(titleOf(answer) ?? "", first);
    if (second === undefined) return;
    const end = first === "login" ? await browser.login(answer) : answer;
    if (second === "consent") {
      t.is(titleOf(end), second);
      return;
    }
    t.is(end.status, 303);
    const { operation, request: said } = world.asked.at(-1) ?? {};
    const { reason, authTime } = said as { reason?: string; authTime?: number };
    t.is(reason ?? "issue", second);
    t.is(operation, second === "issue" ? "authAuthorizationIssue" : "authAuthorizationFail");
    if (reason === undefined) t.is(authTime, first === "login" ? seconds + 100 : seconds);
  });
}

for (const [what, redirectUri, isRemembered] of [
  ["a site over TLS", "https://app.example.com/cb", true],
  ["a site by its address", "https://[2001:db8::1]/cb", true],
  ["a port of the user's machine", "http://127.0.0.1:49152/cb", false],
  ["another name of it", "http://localhost/cb", false],
  ["a scheme of its own", "com.example.app:/cb", false],
  ["a scheme that begins like TLS", "https.example.app:/cb", false],
  ["an unnamed redirect URI", undefined, false],
] as const) {
  const then = isRemembered ? "is not asked for again" : "is asked for each time, since any program may be there";
  test(`consent for a response to ${what} ${then}`, async (t) => {
    const world = createSignInWorld({ consents: consents({ "alice 4711": ["openid", "read"] }) });
    const browser = world.openBrowser();
    const query = new URLSearchParams({
      response_type: "code",
      client_id: "4711",
      ...(redirectUri === undefined ? {} : { redirect_uri: redirectUri }),
    }).toString();
    const answer = await browser.login(await browser.get(query));
    t.is(titleOf(answer), isRemembered ? undefined : "consent");
    t.is(titleOf(await browser.get(query)), isRemembered ? undefined : "consent");
    world.says.authAuthorization = noInteraction;
    await browser.get(query);
    const operation = isRemembered ? "authAuthorizationIssue" : "authAuthorizationFail";
    t.is(world.asked.at(-1)?.operation, operation);
    if (!isRemembered) t.like(world.asked.at(-1)?.request, { reason: "CONSENT_REQUIRED" });
  });
}

const api = "https://api.example.com";
const bank = "https://bank.example.com";

for (const [what, asked, granted, title] of [
  ["the same API", { resources: [api] }, { resources: [api] }, undefined],
  ["one of the APIs", { resources: [bank] }, { resources: [api, bank] }, undefined],
  ["another API", { resources: [bank] }, { resources: [api] }, "consent"],
  ["one more API", { resources: [api, bank] }, { resources: [api] }, "consent"],
  ["an API where none was named", { resources: [api] }, {}, "consent"],
  ["no API where one was named", {}, { resources: [api] }, "consent"],
  ["the same claims", { claims: ["email"], claimsAtUserInfo: ["phone"] }, { claims: ["phone", "email"] }, undefined],
  ["another claim in the ID token", { claims: ["email"] }, {}, "consent"],
  ["another claim at the UserInfo endpoint", { claimsAtUserInfo: ["email"] }, { claims: ["phone"] }, "consent"],
  [
    "claims that the scopes stand for",
    { scopes: [{ name: "email" }], claims: ["email"], claimsAtUserInfo: ["email", "email_verified"] },
    { scopes: ["email"] },
    undefined,
  ],
] as const) {
  test(`a remembered consent, then ${what}: leads to ${title ?? "an answer"}`, async (t) => {
    const known = { "alice 4711": { scopes: ["openid", "read"], claims: [], resources: [], ...granted } };
    const world = createSignInWorld({ consents: consents(known) });
    world.says.authAuthorization = { ...interaction, ...asked };
    const browser = world.openBrowser();
    t.is(titleOf(await browser.login(await browser.get())), title);
    world.says.authAuthorization = { ...noInteraction, ...asked };
    await browser.get();
    const { operation } = world.asked.at(-1) ?? {};
    t.is(operation, title === undefined ? "authAuthorizationIssue" : "authAuthorizationFail");
  });
}

test("two consents are not mixed: the scope of one and the API of the other need a new one", async (t) => {
  const world = createSignInWorld({ consents: consents({}) });
  const browser = world.openBrowser();
  const ask = async (scope: string, resource: string) => {
    world.says.authAuthorization = { ...interaction, scopes: [{ name: scope }], resources: [resource] };
    return browser.get();
  };
  await browser.submit(await browser.login(await ask("read", bank)), { decision: "allow", scope: "read" });
  await browser.submit(await ask("write", api), { decision: "allow", scope: "write" });
  t.is((await ask("read", bank)).status, 303);
  t.is((await ask("write", api)).status, 303);
  t.is(titleOf(await ask("write", bank)), "consent");
});

test("a scope that the user unticked gives nothing away by the names of its claims", async (t) => {
  const world = createSignInWorld();
  world.says.authAuthorization = {
    ...interaction,
    scopes: ["openid", "email"].map((name) => ({ name })),
    claims: ["email", "name"],
    claimsAtUserInfo: ["email", "email_verified", "name"],
  };
  const browser = world.openBrowser();
  const consent = await browser.login(await browser.get());
  await browser.submit(consent, { decision: "allow", scope: "openid" });
  const { claims, consentedClaims } = world.asked[1]?.request as { claims: string; consentedClaims: string[] };
  t.is(claims, '{"name":"alice"}');
  t.deepEqual(consentedClaims, ["sub", "name"]);
  await browser.submit(consent, { decision: "allow", scope: ["openid", "email"] });
  const all = world.asked[2]?.request as { claims: string; consentedClaims: string[] };
  t.deepEqual(JSON.parse(all.claims), { name: "alice", email: "alice@example.com" });
  t.deepEqual(all.consentedClaims, ["sub", "email", "email_verified", "name"]);
});

for (const [what, asked, consented] of [
  ["nothing of the user", {}, undefined],
  ["a claim in the ID token", { claims: ["email"] }, ["sub", "email"]],
  ["a claim at the UserInfo endpoint", { claimsAtUserInfo: ["phone"] }, ["sub", "phone"]],
  ["a claim that the service does not have", { userInfoClaims: '{"shoe_size":null}' }, ["sub"]],
] as const) {
  test(`a request for ${what} gets consent to ${consented?.join(" and ") ?? "no claims"}`, async (t) => {
    const world = createSignInWorld();
    world.says.authAuthorization = { ...interaction, ...asked };
    const browser = world.openBrowser();
    await browser.submit(await browser.login(await browser.get()), both);
    t.deepEqual((world.asked[1]?.request as { consentedClaims?: string[] }).consentedClaims, consented);
  });
}

test("a session ends after its time; a changed one, and one under another key, is invalid", async (t) => {
  const world = createSignInWorld({ consents: consents({ "alice 4711": ["openid", "read"] }), sessionDuration: 100 });
  const browser = world.openBrowser();
  await browser.login(await browser.get());
  const name = "__Host-certbound-session";
  const session = browser.cookies.get(name) ?? "";
  t.is((await browser.get()).status, 303);
  const other = createSignInWorld({ cookieKey: new Uint8Array(32).fill(8) }).openBrowser();
  await other.login(await other.get());
  for (const value of [
    other.cookies.get(name) ?? "",
    "",
    "x",
    `${session.slice(0, -1)}${session.endsWith("A") ? "B" : "A"}.`,
  ]) {
    browser.cookies.set(name, value);
    t.is(titleOf(await browser.get()), "login");
  }
  browser.cookies.set(name, session);
  world.pass(99);
  t.is((await browser.get()).status, 303);
  world.pass(1);
  t.is(titleOf(await browser.get()), "login");
});

test("a value sealed for a form is no session, and the reverse", async (t) => {
  const world = createSignInWorld({ consents: consents({ "alice 4711": ["openid", "read"] }) });
  const browser = world.openBrowser();
  const consent = await browser.get();
  await browser.login(consent);
  const session = browser.cookies.get("__Host-certbound-session") ?? "";
  browser.cookies.set("__Host-certbound-session", sealedOf(consent));
  t.is(titleOf(await browser.get()), "login");
  const forged = { ...consent, body: `<input name="interaction" value="${session}">` };
  t.is((await browser.submit(forged, both)).status, 400);
});

test("a form works in the browser it was made for and in no other, not even in one that is logged in", async (t) => {
  const world = createSignInWorld();
  const [victim, attacker] = [world.openBrowser(), world.openBrowser()];
  const login = await attacker.get();
  const consent = await attacker.login(login);
  await victim.login(await victim.get());
  const asked = world.asked.length;
  for (const page of [login, consent]) {
    const form = { ...both, username: "attacker", password: "attacker-password" };
    const answer = await victim.submit(page, form);
    t.is(answer.status, 400);
    t.is(answer.headers["set-cookie"], undefined);
    t.is((await world.openBrowser().submit(page, form)).status, 400);
  }
  t.is(world.asked.length, asked);
});

test("several tabs of one browser do not disturb each other", async (t) => {
  const world = createSignInWorld();
  const browser = world.openBrowser();
  const [one, two] = [await browser.get(), await browser.get()];
  const [consentTwo, consentOne] = [await browser.login(two, "bob"), await browser.login(one)];
  await browser.submit(consentOne, both);
  await browser.submit(consentTwo, both);
  const subjects = world.asked.slice(2).map(({ request: said }) => (said as { subject: string }).subject);
  t.deepEqual(subjects, ["alice", "bob"]);
});

test("a form that is expired, changed, empty or not there is 400 with a page, and nothing else happens", async (t) => {
  const world = createSignInWorld();
  const browser = world.openBrowser();
  const login = await browser.get();
  const sealed = sealedOf(login);
  const flipped = sealed.slice(0, -3) + (sealed.at(-3) === "A" ? "B" : "A") + sealed.slice(-2);
  for (const value of [
    "",
    "x",
    flipped,
    `${sealed}x`,
    sealed.slice(0, -5),
    "a.b.c.d.e",
    "eyJhbGciOiJub25lIn0....",
    "\n",
  ]) {
    const answer = await browser.submit(
      { ...login, body: `name="interaction" value="${value}"` },
      { username: "alice" },
    );
    t.is(answer.status, 400, value);
    t.is(answer.headers["content-type"], "text/html;charset=UTF-8");
    t.is(sealedOf(answer), "");
  }
  world.pass(3599);
  t.is(titleOf(await browser.login(login)), "consent");
  world.pass(1);
  t.is((await browser.login(login)).status, 400);
  t.is(world.asked.length, 1);
});

for (const [headers, status] of [
  [{ fetchSite: "same-origin", origin: "https://elsewhere.example.com" }, 303],
  [{ fetchSite: "same-origin" }, 303],
  [{ fetchSite: "cross-site", origin: "null" }, 403],
  [{ fetchSite: "same-site", origin: "https://as.example.com" }, 403],
  [{ fetchSite: "none" }, 403],
  [{ origin: "https://as.example.com" }, 303],
  [{ origin: "null" }, 303],
  [{}, 303],
  [{ origin: "https://evil.example.com" }, 403],
  [{ origin: "https://as.example.com:8443" }, 403],
  [{ origin: "" }, 403],
  [{ origin: "as.example.com" }, 403],
] as const) {
  test(`a form with ${JSON.stringify(headers)} is ${status === 303 ? "taken" : "refused"}`, async (t) => {
    const world = createSignInWorld();
    const browser = world.openBrowser();
    const consent = await browser.login(await browser.get());
    t.is((await browser.submit(consent, both, headers)).status, status);
    t.is(world.asked.length, status === 303 ? 2 : 1);
  });
}

for (const [operation, resultCode] of [
  ["authAuthorizationIssue", "A041202"],
  ["authAuthorizationIssue", "A041301"],
  ["authAuthorizationIssue", "A045302"],
  ["authAuthorizationFail", "A059202"],
  ["authAuthorizationFail", "A059301"],
  ["authAuthorizationFail", "A059302"],
] as const satisfies readonly (readonly [string, ResultCode])[]) {
  for (const action of ["BAD_REQUEST", "INTERNAL_SERVER_ERROR"]) {
    test(`a form that is sent twice gets a sentence, not an error: ${resultCode} as ${action}`, async (t) => {
      const world = createSignInWorld();
      const browser = world.openBrowser();
      const consent = await browser.login(await browser.get());
      world.says[operation] = { action, resultCode, responseContent: '{"error":"server_error"}' };
      const form = operation === "authAuthorizationFail" ? { decision: "deny" } : both;
      const answer = await browser.submit(consent, form);
      t.is(answer.status, 400);
      t.regex(answer.body, /over already/);
      t.false(answer.body.includes("server_error"));
      t.deepEqual(world.failures, []);
    });
  }
}

test("a backend that cannot issue is reported to the operator, and to the user as a sentence", async (t) => {
  const world = createSignInWorld();
  const browser = world.openBrowser();
  const consent = await browser.login(await browser.get());
  const resultMessage = "[A046203] No key.";
  world.says.authAuthorizationIssue = { action: "INTERNAL_SERVER_ERROR", resultCode: "A046203", resultMessage };
  const answer = await browser.submit(consent, both);
  t.is(answer.status, 500);
  t.regex(answer.body, /not possible at the moment/);
  t.deepEqual(
    world.failures.map((error) => (error as Error).message),
    [resultMessage],
  );
});

for (const [error, status] of [
  [new ApiError(401, "A003204", "words for the operator"), 500],
  [new ApiError(503, "A000503", "words for the operator"), 503],
  [new Error("words for the operator"), 503],
] as const) {
  test(`a failed step (${error.name} ${status}) is a page without the error's text; the form works afterwards`, async (t) => {
    const world = createSignInWorld();
    const browser = world.openBrowser();
    const consent = await browser.login(await browser.get());
    world.says.authAuthorizationIssue = error;
    const answer = await browser.submit(consent, both);
    t.is(answer.status, status);
    t.regex(answer.body, /not possible at the moment/);
    t.false(answer.body.includes("operator"));
    t.deepEqual(world.failures, [error]);
    world.says.authAuthorizationIssue = issued;
    t.is((await browser.submit(consent, both)).status, 303);
  });
}

test("a failing user table is a page, and the operator learns why", async (t) => {
  const fault = new Error("the user table is down");
  const world = createSignInWorld({ users: { authenticate: () => Promise.reject(fault), claims: () => ({}) } });
  const browser = world.openBrowser();
  const answer = await browser.login(await browser.get());
  t.is(answer.status, 503);
  t.false(answer.body.includes("down"));
  t.deepEqual(world.failures, [fault]);
});

test("the ticket, the user and the seal's content stand in no page, header or cookie", async (t) => {
  const world = createSignInWorld();
  const browser = world.openBrowser();
  const login = await browser.get();
  const consent = await browser.login(login);
  const end = await browser.submit(consent, both);
  const seen = JSON.stringify([login, consent, end, [...browser.cookies]]);
  for (const secret of [ticket, Buffer.from(ticket).toString("base64url"), "alice-password"]) {
    t.false(seen.includes(secret));
  }
  const sealed = sealedOf(consent)
    .split(".")
    .map((part) => Buffer.from(part, "base64url").toString("latin1"));
  t.notRegex(sealed.join(), /alice|ticket|4711/);
});

test("cookies are for this host and TLS only, hidden from scripts, and not sent with other sites' forms", async (t) => {
  const world = createSignInWorld();
  const browser = world.openBrowser();
  const login = await browser.get();
  const consent = await browser.login(login);
  const attributes = "; Path=/; Secure; HttpOnly; SameSite=Lax";
  const [named = ""] = [login.headers["set-cookie"] ?? []].flat();
  t.regex(named, new RegExp(`^__Host-certbound-browser=[A-Za-z0-9_.-]+${attributes}$`));
  const [renamed = "", session = "", ...more] = [consent.headers["set-cookie"] ?? []].flat();
  t.regex(renamed, new RegExp(`^__Host-certbound-browser=[A-Za-z0-9_.-]+${attributes}$`));
  t.regex(session, new RegExp(`^__Host-certbound-session=[A-Za-z0-9_.-]+${attributes}$`));
  t.deepEqual(more, []);
});

test("two cookies of one name count as no cookie", async (t) => {
  const world = createSignInWorld();
  const browser = world.openBrowser();
  const login = await browser.get();
  const name = browser.cookies.get("__Host-certbound-browser") ?? "";
  browser.cookies.set("x", `1; __Host-certbound-browser=${name}`);
  t.is((await browser.login(login)).status, 400);
});

test("a cookie of hundreds of thousands of blanks costs nothing to speak of", async (t) => {
  const world = createSignInWorld();
  const browser = world.openBrowser();
  const login = await browser.get();
  // In time that grows with the square of them, this would not end before the test is given up.
  browser.cookies.set("x", `1${" ".repeat(500_000)}2`);
  t.is(titleOf(await browser.login(login)), "consent");
});

test("texts from the client and the request are shown as text", async (t) => {
  const world = createSignInWorld();
  world.says.authAuthorization = { ...interaction, loginHint: `"><script>alert(1)</script>'\`&amp;` };
  const browser = world.openBrowser();
  const login = await browser.get();
  t.true(login.body.includes("<p>The &lt;b&gt;App&lt;/b&gt;</p>"));
  t.true(login.body.includes('value="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&#39;&#96;&amp;amp;"'));
  const consent = await browser.login(login);
  t.true(consent.body.includes("<i>read Read &quot;all&quot;</i>"));
});

for (const [blank, name] of Object.entries({ "\u00a0": "U+00A0", "\u2003": "U+2003", "\v": "U+000B", x: "x" })) {
  test(`a cookie whose name begins with ${name} is ignored: another host may have set it`, async (t) => {
    const world = createSignInWorld({ consents: consents({ "attacker 4711": ["openid", "read"] }) });
    const attacker = world.openBrowser();
    const page = await attacker.get();
    await attacker.login(page, "attacker");
    const victim = world.openBrowser();
    for (const [cookie, value] of attacker.cookies) victim.cookies.set(blank + cookie, value);
    t.is(titleOf(await victim.get()), "login");
    victim.cookies.delete("__Host-certbound-browser");
    t.is((await victim.login(page, "attacker")).status, 400);
  });
}

test("custom pages get the facts that they may show", async (t) => {
  const seen: unknown[] = [];
  const world = createSignInWorld({
    pages: {
      login: ({ form, ...view }) => (seen.push(view), plainPages.login({ form, ...view })),
      consent: ({ form, ...view }) => (seen.push(view), plainPages.consent({ form, ...view })),
    },
  });
  const uiLocales = ["ja", "en"];
  const resources = ["https://api.example.com"];
  const claims = ["email"];
  world.says.authAuthorization = { ...interaction, client: { clientId: 4711 }, uiLocales, resources, claims };
  const browser = world.openBrowser();
  await browser.login(await browser.get());
  const shown = { client: { id: "4711", name: "4711" }, uiLocales };
  t.deepEqual(seen, [
    { ...shown, wrongCredentials: false },
    { ...shown, subject: "alice", scopes: interaction.scopes, claims, resources },
  ]);
});
