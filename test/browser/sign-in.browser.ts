import test from "ava";
import type { Browser, Page } from "playwright-core";
import { postForm, send } from "../support/https-request.ts";
import { launchChromium, openWindow } from "./chromium.ts";
import {
  authorizeUrl,
  clientCertificate,
  codeVerifier,
  hostile,
  startExample,
  type ExampleWorld,
} from "./example-world.ts";

let browser: Browser;
let world: ExampleWorld;

const ends: (() => Promise<void>)[] = [];

test.before(async () => {
  browser = await launchChromium();
  ends.push(() => browser.close());
  world = await startExample();
  ends.push(() => world.end());
});

test.after.always(async () => {
  for (const end of ends) await end();
});

/** Fills the login page and sends it. */
async function login(page: Page, username = "alice", password = "wonderland"): Promise<void> {
  await page.fill("[name=username]", username);
  await page.fill("[name=password]", password);
  await page.click("[value=login]");
}

const allow = (page: Page): Promise<void> => page.click("[value=allow]");

/** What the client got last; the page is the client's own then. */
async function arrived(page: Page): Promise<Readonly<Record<string, string>>> {
  await page.waitForURL(`${world.app}/**`);
  return world.arrivals.at(-1)?.parameters ?? {};
}

/** Everything that a browser keeps or shows of the pages so far. */
async function seen(page: Page, addresses: readonly string[]): Promise<string> {
  return JSON.stringify([await page.content(), await page.context().cookies(), addresses, page.url()]);
}

// One client, one list of arrivals: one test at a time.

test.serial("login and consent lead to the client with a code, which gives tokens over mutual TLS", async (t) => {
  const { page, complaints, addresses, context } = await openWindow(browser);
  const shown: string[] = [];
  await page.goto(authorizeUrl(world));
  t.is(await page.title(), "Sign in");
  t.is(await page.textContent("h1"), "Sign in to continue to The App");
  shown.push(await seen(page, addresses));
  await login(page);
  t.is(await page.title(), "Allow access");
  t.is(await page.textContent("p"), "You are signed in as user-alice.");
  shown.push(await seen(page, addresses));
  await page.uncheck("[value=write]");
  await allow(page);
  const { code = "", state, iss } = await arrived(page);
  t.is(await page.textContent("p"), "Welcome back.");
  t.is(state, "the-state");
  t.is(iss, "https://as.example.com");
  t.is(world.arrivals.at(-1)?.method, "GET");
  shown.push(await seen(page, addresses));
  t.deepEqual(complaints, []);

  t.true(world.tickets.length > 0);
  for (const ticket of world.tickets) {
    for (const spelling of [
      ticket,
      Buffer.from(ticket).toString("base64url"),
      Buffer.from(ticket).toString("base64"),
    ]) {
      t.false(shown.some((text) => text.includes(spelling)));
    }
  }

  const answer = await postForm(
    { url: `${world.listening}/token`, as: clientCertificate },
    {
      grant_type: "authorization_code",
      client_id: "1",
      code,
      redirect_uri: `${world.app}/cb`,
      code_verifier: codeVerifier,
    },
  );
  t.is(answer.status, 200, answer.body);
  const tokens = JSON.parse(answer.body) as { access_token: string; scope: string; id_token: string };
  t.deepEqual(tokens.scope.split(" ").sort(), ["email", "openid", "read"]);
  const claims = JSON.parse(Buffer.from(tokens.id_token.split(".")[1] ?? "", "base64url").toString()) as Record<
    string,
    unknown
  >;
  t.is(claims["sub"], "user-alice");
  t.is(claims["nonce"], "the-nonce");
  const headers = { authorization: `Bearer ${tokens.access_token}` };
  const userInfo = await send({ url: `${world.listening}/userinfo`, as: clientCertificate, headers });
  t.is(userInfo.status, 200, userInfo.body);
  t.deepEqual(JSON.parse(userInfo.body), { sub: "user-alice", email: "alice@example.com", email_verified: true });
  t.is((await send({ url: `${world.listening}/userinfo`, headers })).status, 401);
  await context.close();
});

test.serial("a wrong password is reported, not whose; then the right one continues", async (t) => {
  const { page, complaints, context } = await openWindow(browser);
  await page.goto(authorizeUrl(world, { login_hint: "alice" }));
  t.is(await page.inputValue("[name=username]"), "alice");
  const problems: (string | null)[] = [];
  for (const [username, password] of [
    ["alice", "builder"],
    ["nobody", "x"],
    ["bob", " builder"],
  ] as const) {
    await login(page, username, password);
    problems.push(await page.textContent("[role=alert]"));
  }
  t.deepEqual([...new Set(problems)], ["The name or the password is wrong."]);
  await login(page, "bob", "builder");
  t.is(await page.textContent("p"), "You are signed in as user-bob.");
  t.deepEqual(complaints, []);
  await context.close();
});

test.serial("pressing Enter signs in, and never cancels", async (t) => {
  const { page, context } = await openWindow(browser);
  await page.goto(authorizeUrl(world));
  await page.fill("[name=username]", "alice");
  await page.fill("[name=password]", "wonderland");
  await page.press("[name=password]", "Enter");
  await page.waitForSelector("[value=allow]");
  t.is(await page.title(), "Allow access");
  await context.close();
});

for (const [button, error] of [
  ["cancel", "login_required"],
  ["deny", "access_denied"],
] as const) {
  test.serial(`the button ${button} leads to the client with ${error}`, async (t) => {
    const { page, complaints, context } = await openWindow(browser);
    await page.goto(authorizeUrl(world));
    if (button === "deny") await login(page);
    await page.click(`[value=${button}]`);
    const parameters = await arrived(page);
    t.is(parameters["error"], error);
    t.is(parameters["state"], "the-state");
    t.is(parameters["code"], undefined);
    t.deepEqual(complaints, []);
    await context.close();
  });
}

test.serial(
  "after a login prompt=none succeeds without a page, in no other browser, and not for another user",
  async (t) => {
    const { page, context } = await openWindow(browser);
    await page.goto(authorizeUrl(world, { prompt: "none" }));
    t.is((await arrived(page))["error"], "login_required");
    await page.goto(authorizeUrl(world));
    await login(page, "bob", "builder");
    await page.goto(authorizeUrl(world, { prompt: "none" }));
    t.is((await arrived(page))["error"], "consent_required");
    await page.goto(authorizeUrl(world));
    await allow(page);
    await arrived(page);
    // From the client's site: what leads here is another site's link.
    const silent = authorizeUrl(world, { prompt: "none", state: "silent" });
    await page.evaluate(`location.assign(${JSON.stringify(silent)})`);
    await page.waitForURL(/state=silent/);
    t.regex((await arrived(page))["code"] ?? "", /^.{20,}$/);
    const claims = JSON.stringify({ id_token: { sub: { value: "user-alice" } } });
    await page.goto(authorizeUrl(world, { prompt: "none", claims }));
    t.is((await arrived(page))["error"], "login_required");
    await context.close();
  },
);

test.serial("prompt=login and max_age=0 ask for the password again", async (t) => {
  const { page, context } = await openWindow(browser);
  await page.goto(authorizeUrl(world));
  await login(page);
  for (const change of [{ prompt: "login" }, { prompt: "select_account" }, { max_age: "0" }]) {
    await page.goto(authorizeUrl(world, change));
    t.is(await page.title(), "Sign in");
  }
  await page.goto(authorizeUrl(world, { max_age: "1000" }));
  t.not(await page.title(), "Sign in");
  await context.close();
});

for (const javaScriptEnabled of [true, false]) {
  test.serial(
    `form_post reaches the client by POST, ${javaScriptEnabled ? "by itself" : "with a button where scripts are off"}`,
    async (t) => {
      const { page, complaints, addresses, context } = await openWindow(browser, { javaScriptEnabled });
      await page.goto(authorizeUrl(world, { response_mode: "form_post" }));
      await login(page, "alice", "wonderland");
      if ((await page.title()) === "Allow access") await allow(page);
      if (!javaScriptEnabled) await page.click("button");
      const { code = "", state } = await arrived(page);
      t.regex(code, /^.{20,}$/);
      t.is(state, "the-state");
      t.is(world.arrivals.at(-1)?.method, "POST");
      t.false(addresses.some((address) => address.includes(code)));
      t.deepEqual(complaints, []);
      await context.close();
    },
  );
}

test.serial("without JavaScript everything works: login, consent, and the way to the client", async (t) => {
  const { page, context } = await openWindow(browser, { javaScriptEnabled: false });
  await page.goto(authorizeUrl(world, { client_id: "2" }));
  await login(page, "bob", "builder");
  await allow(page);
  t.regex((await arrived(page))["code"] ?? "", /^.{20,}$/);
  await context.close();
});

test.serial("texts from client, scope and request are shown as text, whatever they contain", async (t) => {
  const { page, complaints, addresses, context } = await openWindow(browser);
  await page.goto(authorizeUrl(world, { client_id: "2", login_hint: hostile, state: hostile, prompt: "consent" }));
  t.is(await page.textContent("h1"), `Sign in to continue to ${hostile}`);
  t.is(await page.inputValue("[name=username]"), hostile);
  await login(page);
  t.is(await page.textContent("h1"), `${hostile} asks for access`);
  t.is((await page.textContent("label:has([value=read])"))?.trim(), `Read ${hostile}`);
  t.is(await page.locator("img, script").count(), 0);
  await allow(page);
  t.is((await arrived(page))["state"], hostile);
  await page.goto(authorizeUrl(world, { client_id: "2", state: hostile, response_mode: "form_post" }));
  t.is((await arrived(page))["state"], hostile);
  t.deepEqual(complaints, []);
  t.false(addresses.some((address) => address.endsWith("/x")));
  await context.close();
});

test.serial("an error that may go to no client is no page that runs anything", async (t) => {
  const { page, complaints, context } = await openWindow(browser);
  const answer = await page.goto(authorizeUrl(world, { redirect_uri: `${world.app}/other?${hostile}` }));
  t.is(answer?.status(), 400);
  t.is(answer?.headers()["content-type"], "application/json");
  t.true(page.url().startsWith(world.pages));
  t.deepEqual(complaints, ["Failed to load resource: the server responded with a status of 400 (Bad Request)"]);
  await context.close();
});

test.serial("9700-4.16/17: no page of ours is shown in a frame of another site", async (t) => {
  const { page, complaints, context } = await openWindow(browser);
  await page.goto(authorizeUrl(world, { prompt: "login" }));
  await login(page);
  for (const url of [authorizeUrl(world, { prompt: "login" }), authorizeUrl(world, { prompt: "consent" })]) {
    const site = await world.serveSite(`<iframe src="${url.replaceAll("&", "&amp;")}"></iframe>`);
    const before = complaints.length;
    await page.goto(site);
    const frame = page.frames()[1];
    t.is(await frame?.locator("form").count(), 0);
    t.true(
      complaints.slice(before).some((text) => text.includes("frame-ancestors 'none'")),
      complaints.join("\n"),
    );
  }
  await context.close();
});

/** A site that posts a form to ours as soon as it is opened, with these fields. */
const attackingSite = (target: string, fields: Readonly<Record<string, string>>): string =>
  `<form method="post" action="${target}">${Object.entries(fields)
    .map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`)
    .join("")}</form><script>document.forms[0].submit()</script>`;

test.serial("another site can neither log the user in as somebody else nor consent for them", async (t) => {
  const attacker = await openWindow(browser);
  await attacker.page.goto(authorizeUrl(world));
  const loginForm = await attacker.page.inputValue("[name=interaction]");
  await login(attacker.page, "bob", "builder");
  const victim = await openWindow(browser);
  await victim.page.goto(authorizeUrl(world, { prompt: "consent" }));
  await login(victim.page);
  const consentForm = await victim.page.inputValue("[name=interaction]");
  const cookies = await victim.context.cookies();
  const arrivals = world.arrivals.length;
  for (const fields of [
    { interaction: loginForm, username: "bob", password: "builder" },
    // Even with the victim's own form, which another site cannot read.
    { interaction: consentForm, decision: "allow", scope: "read" },
  ]) {
    const site = await world.serveSite(attackingSite(`${world.pages}/authorize`, fields));
    const [answer] = await Promise.all([
      victim.page.waitForResponse((response) => response.request().method() === "POST"),
      victim.page.goto(site),
    ]);
    t.is(answer.status(), 403);
    t.is(answer.request().headers()["cookie"], undefined);
  }
  t.is(world.arrivals.length, arrivals);
  t.deepEqual(await victim.context.cookies(), cookies);
  await Promise.all([attacker.context.close(), victim.context.close()]);
});

test.serial("going back and sending a form again shows that it is over, and the client gets one code", async (t) => {
  const { page, context } = await openWindow(browser);
  await page.goto(authorizeUrl(world, { prompt: "consent" }));
  await login(page);
  const interaction = await page.inputValue("[name=interaction]");
  await allow(page);
  await arrived(page);
  const arrivals = world.arrivals.length;
  const headers = { "sec-fetch-site": "same-origin" };
  const form = { interaction, decision: "allow", scope: "read" };
  const again = await page.request.post(`${world.pages}/authorize`, { form, headers });
  t.is(again.status(), 400);
  t.regex(await again.text(), /over already/);
  // Nothing was kept: Chromium has no page to go back to, and would have to send the password again.
  await t.throwsAsync(page.goBack(), { message: /ERR_CACHE_MISS/ });
  t.is(world.arrivals.length, arrivals);
  await context.close();
});

test.serial("a double click gets one code, and a user without a client's answer sees what to do", async (t) => {
  const { page, context } = await openWindow(browser);
  await page.goto(authorizeUrl(world, { prompt: "consent", state: "double" }));
  await login(page);
  const before = world.arrivals.length;
  await page.dblclick("[value=allow]");
  await page.waitForFunction("!document.querySelector('[value=allow]')");
  t.regex((await page.textContent("p")) ?? "", /over already|Welcome back/);
  t.true(world.arrivals.length <= before + 1);
  await context.close();
});

test.serial("two tabs sign in beside each other", async (t) => {
  const { page, context } = await openWindow(browser);
  const other = await context.newPage();
  await page.goto(authorizeUrl(world, { state: "one", prompt: "login" }));
  await other.goto(authorizeUrl(world, { state: "two", prompt: "login" }));
  await login(other);
  await login(page);
  for (const [tab, state] of [
    [page, "one"],
    [other, "two"],
  ] as const) {
    if ((await tab.title()) === "Allow access") await allow(tab);
    await tab.waitForURL(new RegExp(`state=${state}`));
  }
  t.pass();
  await context.close();
});

test.serial("the browser keeps two cookies, for this host, over TLS, out of reach of scripts", async (t) => {
  const { page, context } = await openWindow(browser);
  await page.goto(authorizeUrl(world));
  await login(page);
  const cookies = await context.cookies(world.pages);
  t.deepEqual(cookies.map(({ name }) => name).sort(), ["__Host-certbound-browser", "__Host-certbound-session"]);
  for (const { httpOnly, secure, sameSite, path, domain, expires } of cookies) {
    t.deepEqual(
      { httpOnly, secure, sameSite, path, domain, expires },
      { httpOnly: true, secure: true, sameSite: "Lax", path: "/", domain: "127.0.0.1", expires: -1 },
    );
  }
  await context.close();
});

test.serial("an authorization request that a client posts finds the session", async (t) => {
  const { page, context } = await openWindow(browser);
  await page.goto(authorizeUrl(world));
  await login(page);
  const fields = Object.fromEntries(new URL(authorizeUrl(world, { state: "posted" })).searchParams);
  await page.goto(await world.serveSite(attackingSite(`${world.pages}/authorize`, fields)));
  await page.waitForURL((url) => url.href !== "about:blank" && url.search.includes("state=posted"));
  t.not(await page.title(), "Sign in");
  await context.close();
});

test.serial(
  "an address of another kind, such as a native app's, is no obstacle to the form that leads there",
  async (t) => {
    const { page, complaints, context } = await openWindow(browser);
    await page.goto(authorizeUrl(world, { redirect_uri: "com.example.app:/cb", prompt: "consent" }));
    const answer = page.waitForResponse((response) => response.status() === 303);
    await login(page);
    await allow(page);
    t.regex((await answer).headers()["location"] ?? "", /^com\.example\.app:\/cb\?code=/);
    t.false(
      complaints.some((text) => text.includes("form-action")),
      complaints.join("\n"),
    );
    await context.close();
  },
);

test.serial("a client may lead on to another site from its redirect URI", async (t) => {
  const { page, complaints, context } = await openWindow(browser);
  await page.goto(authorizeUrl(world, { state: "onward", prompt: "consent" }));
  await login(page);
  await allow(page);
  await page.waitForURL(`${world.listening}/**`);
  t.is(world.arrivals.at(-1)?.parameters["state"], "onward");
  t.deepEqual(complaints, []);
  await context.close();
});
