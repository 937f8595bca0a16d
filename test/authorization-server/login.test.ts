import test from "ava";
import { html, type AuthenticateUser, type LoginAttempt, type Pages } from "../../src/authorization-server/index.ts";
import {
  createSignInWorld,
  failed,
  interaction,
  plainPages,
  sealedOf,
  ticket,
  ticketIsGone,
  ticketIsGood,
  titleOf,
  users,
  type TestBrowser,
} from "./sign-in-world.ts";

const both = { decision: "allow", scope: ["openid", "read"] };
const [browserCookie, sessionCookie] = ["__Host-certbound-browser", "__Host-certbound-session"];

// The browser's cookie is another one after a login.

/** The browser of somebody who knows this browser's cookies as they are now. */
function copyOf(browser: TestBrowser, into: TestBrowser): TestBrowser {
  for (const [name, value] of browser.cookies) into.cookies.set(name, value);
  return into;
}

test("a cookie that was planted before the login opens no page that was made after it", async (t) => {
  const world = createSignInWorld();
  const [victim, attacker] = [world.openBrowser(), world.openBrowser()];
  await attacker.get();
  copyOf(attacker, victim);
  const login = await victim.get();
  t.is(login.headers["set-cookie"], undefined);
  const consent = await victim.login(login);
  t.is(titleOf(consent), "consent");
  t.not(victim.cookies.get(browserCookie), attacker.cookies.get(browserCookie));
  t.is((await attacker.submit(consent, both)).status, 400);
  t.is((await victim.submit(consent, both)).status, 303);
});

test("a consent page made with a planted cookie is invalid after the login", async (t) => {
  const world = createSignInWorld();
  const [victim, attacker] = [world.openBrowser(), world.openBrowser()];
  const first = await attacker.get();
  copyOf(attacker, victim);
  // The attacker's own account; the page is good under the name that this login has made.
  const theirs = await attacker.login(first, "mallory");
  const login = await victim.get();
  await victim.login(login);
  const asked = world.asked.length;
  t.is((await victim.submit(theirs, both)).status, 400);
  t.is(world.asked.length, asked);
});

test("pages that lie open in other tabs work after a login, each for its user", async (t) => {
  const world = createSignInWorld();
  const browser = world.openBrowser();
  const tabs = [await browser.get(), await browser.get(), await browser.get()] as const;
  const alices = await browser.login(tabs[0], "alice");
  const bobs = await browser.login(tabs[1], "bob");
  const carols = await browser.login(tabs[2], "carol");
  world.asked.splice(0);
  for (const page of [alices, carols, bobs]) t.is((await browser.submit(page, both)).status, 303);
  const subjects = world.asked.map(({ request }) => (request as { subject: string }).subject);
  t.deepEqual(subjects, ["alice", "carol", "bob"]);
});

test("a browser keeps a bounded number of its earlier names, each at most as long as a page is valid", async (t) => {
  const world = createSignInWorld();
  world.says.authAuthorization = { ...interaction, prompts: ["LOGIN"] };
  const browser = world.openBrowser();
  const [old, late] = [await browser.get(), await browser.get()];
  for (let login = 0; login < 8; login++) await browser.login(await browser.get());
  t.is(titleOf(await browser.login(late)), "consent");
  t.is((await browser.login(old)).status, 400);
  t.true((browser.cookies.get(browserCookie) ?? "").length < 4000);
  world.pass(3600);
  await browser.login(await browser.get());
  t.true((browser.cookies.get(browserCookie) ?? "").length < 500);
});

test("a browser's cookie that is not ours is replaced, and opens nothing", async (t) => {
  const world = createSignInWorld();
  const browser = world.openBrowser();
  browser.cookies.set(browserCookie, "chosen-by-somebody");
  const login = await browser.get();
  t.not(browser.cookies.get(browserCookie), "chosen-by-somebody");
  t.is(titleOf(await browser.login(login)), "consent");
});

// A finished authorization's form is over.

test("the login form of a finished authorization signs nobody in and does not ask the user table", async (t) => {
  let asked = 0;
  const authenticate: AuthenticateUser = (...given) => {
    asked += 1;
    return users.authenticate(...given);
  };
  const world = createSignInWorld({ users: { ...users, authenticate } });
  const browser = world.openBrowser();
  const login = await browser.get();
  t.is((await browser.submit(await browser.login(login), both)).status, 303);
  const [cookies, before] = [new Map(browser.cookies), asked];
  world.says.authAuthorizationTicketInfo = ticketIsGone;
  for (const username of ["bob", "alice"]) {
    const answer = await browser.login(login, username);
    t.is(answer.status, 400);
    t.regex(answer.body, /over already/);
    t.is(answer.headers["set-cookie"], undefined);
  }
  t.is(asked, before);
  t.deepEqual(browser.cookies, cookies);
  t.deepEqual(world.looked.at(-1), { ticket });
});

test("the consent form of a finished authorization grants nothing that would be remembered", async (t) => {
  const granted: string[] = [];
  const world = createSignInWorld({
    consents: { granted: () => [], grant: (subject) => void granted.push(subject) },
  });
  const browser = world.openBrowser();
  const consent = await browser.login(await browser.get());
  world.says.authAuthorizationTicketInfo = ticketIsGone;
  const asked = world.asked.length;
  for (const form of [both, { decision: "deny" }, { decision: "switch" }]) {
    t.regex((await browser.submit(consent, form)).body, /over already/);
  }
  t.deepEqual(granted, []);
  t.is(world.asked.length, asked);
});

test("an authorization that is finished during the password check signs nobody in", async (t) => {
  const world = createSignInWorld({
    users: {
      ...users,
      authenticate: (username) => {
        world.says.authAuthorizationTicketInfo = ticketIsGone;
        return { subject: username };
      },
    },
  });
  const browser = world.openBrowser();
  const answer = await browser.login(await browser.get());
  t.is(answer.status, 400);
  t.false(browser.cookies.has(sessionCookie));
});

test("a login signs nobody in if the backend then cannot continue", async (t) => {
  const everything = { scopes: ["openid", "read"], claims: [], resources: [] };
  const world = createSignInWorld({ consents: { granted: () => [everything], grant: () => undefined } });
  world.says.authAuthorizationIssue = { action: "BAD_REQUEST", resultCode: "A041202" };
  const browser = world.openBrowser();
  const answer = await browser.login(await browser.get());
  t.is(answer.status, 400);
  t.false(browser.cookies.has(sessionCookie));
});

for (const [action, status] of [
  ["CALLER_ERROR", 500],
  ["AUTHLETE_ERROR", 500],
] as const) {
  test(`a backend that cannot check a ticket (${action}) stops the login, and the operator learns why`, async (t) => {
    const world = createSignInWorld();
    const browser = world.openBrowser();
    const login = await browser.get();
    world.says.authAuthorizationTicketInfo = { action, resultMessage: "[A420101] words for the operator" };
    const answer = await browser.login(login);
    t.is(answer.status, status);
    t.false(browser.cookies.has(sessionCookie));
    t.deepEqual(
      world.failures.map((error) => (error as Error).message),
      ["[A420101] words for the operator"],
    );
    world.says.authAuthorizationTicketInfo = ticketIsGood;
    t.is(titleOf(await browser.login(login)), "consent");
  });
}

// Guesses.

test("the user table gets the address of a guess and the client", async (t) => {
  const attempts: LoginAttempt[] = [];
  const world = createSignInWorld({
    users: { ...users, authenticate: (_name, _password, attempt) => void attempts.push(attempt) },
  });
  const browser = world.openBrowser();
  const login = await browser.get();
  await browser.submit(login, { username: "alice", password: "x" }, undefined, "192.0.2.1");
  await browser.submit(login, { username: "alice", password: "x" });
  t.deepEqual(attempts, [{ address: "192.0.2.1", clientId: "4711" }, { clientId: "4711" }]);
});

test("retryAfter from the user table is a page with 429 and Retry-After, and the form works afterwards", async (t) => {
  const answers: ReturnType<AuthenticateUser>[] = [{ retryAfter: 12.2 }, { retryAfter: 0 }, { retryAfter: 1e9 }];
  const world = createSignInWorld({
    users: { ...users, authenticate: () => answers.shift() ?? { subject: "alice" } },
  });
  const browser = world.openBrowser();
  const login = await browser.get();
  for (const seconds of ["13", "1", "86400"]) {
    const answer = await browser.login(login);
    t.is(answer.status, 429);
    t.is(answer.headers["retry-after"], seconds);
    t.is(titleOf(answer), "login");
    t.true(answer.body.includes(`wait ${seconds}`));
    t.false(answer.body.includes("wrong"));
    t.is(answer.headers["set-cookie"], undefined);
  }
  t.is(titleOf(await browser.login(login)), "consent");
  t.deepEqual(world.failures, []);
});

test("ten passwords can be tried on one form; then its authorization is over, also for the right one", async (t) => {
  let guesses = 0;
  const world = createSignInWorld({
    users: {
      ...users,
      authenticate: (name, password, attempt) => {
        guesses += 1;
        return users.authenticate(name, password, attempt);
      },
    },
  });
  const browser = world.openBrowser();
  let page = await browser.get();
  const first = page;
  for (let at = 0; at < 10; at++) {
    // Whichever of the pages the form is taken from.
    page = await browser.submit(at % 2 === 0 ? first : page, { username: "alice", password: `${at}` });
    t.is(titleOf(page), "login");
  }
  const end = await browser.login(page);
  t.is(end.headers["location"], failed.responseContent);
  t.deepEqual(world.asked.at(-1), {
    operation: "authAuthorizationFail",
    request: { ticket, reason: "NOT_AUTHENTICATED" },
  });
  t.false(browser.cookies.has(sessionCookie));
  t.is(guesses, 10);
});

test("guesses that are sent together are counted as those that follow each other", async (t) => {
  let guesses = 0;
  const open = Promise.withResolvers<undefined>();
  const world = createSignInWorld({
    users: {
      ...users,
      authenticate: () => {
        guesses += 1;
        return open.promise;
      },
    },
  });
  const browser = world.openBrowser();
  const login = await browser.get();
  const all = Array.from({ length: 60 }, (_, at) => browser.submit(login, { username: "alice", password: `${at}` }));
  // Those that are one too many are answered while the others wait.
  const tooMany = await Promise.all(all.slice(10));
  open.resolve(undefined);
  await Promise.all(all);
  t.is(guesses, 10);
  t.true(tooMany.every(({ status }) => status === 303));
});

test("retryAfter from the user table does not count as an attempt: no password was checked", async (t) => {
  let guesses = 0;
  const world = createSignInWorld({
    users: { ...users, authenticate: () => (++guesses > 30 ? { subject: "alice" } : { retryAfter: 1 }) },
  });
  const browser = world.openBrowser();
  const login = await browser.get();
  for (let at = 0; at < 30; at++) t.is((await browser.login(login)).status, 429);
  t.is(titleOf(await browser.login(login)), "consent");
});

for (const [what, answer] of Object.entries<unknown>({
  "a text": "alice",
  "an empty subject": { subject: "" },
  "a number as subject": { subject: 1 },
  "an object without members": {},
  "both a subject and retryAfter": { subject: "alice", retryAfter: 1 },
  "a retryAfter that is no number": { retryAfter: "10" },
  "a retryAfter before now": { retryAfter: -1 },
  true: true,
})) {
  test(`a user table that answers ${what} logs nobody in, and the operator learns it`, async (t) => {
    const world = createSignInWorld({ users: { ...users, authenticate: () => answer as never } });
    const browser = world.openBrowser();
    const page = await browser.login(await browser.get());
    t.is(page.status, 503);
    t.false(browser.cookies.has(sessionCookie));
    t.is(world.failures.length, 1);
  });
}

test("pages that know no retryAfter show the login page, with the same status and header", async (t) => {
  const login: Pages["login"] = ({ form }) => ({ title: "login", body: form(html`<input name="username" />`) });
  const pages: Pages = { ...plainPages, login };
  const world = createSignInWorld({ pages, users: { ...users, authenticate: () => ({ retryAfter: 5 }) } });
  const browser = world.openBrowser();
  const answer = await browser.login(await browser.get());
  t.deepEqual([answer.status, answer.headers["retry-after"]], [429, "5"]);
  t.not(sealedOf(answer), "");
});
