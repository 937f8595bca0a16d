import { Agent, request as send, type IncomingMessage } from "node:http";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import test from "ava";
import { nodeHandler, tokenEndpoint } from "../../src/authorization-server/index.ts";
import { brokenResponses, failures, type BrokenResponse } from "../support/failing-hooks.ts";
import { forkProgram } from "../support/forked-program.ts";
import type {
  BrokenFrontEnd,
  FrontEndFailure,
  FrontEndHook,
  FrontEndHooksCommands,
} from "./front-end-hooks-program.ts";

const program = new URL("./front-end-hooks-program.ts", import.meta.url);

type Outcome = number | "closed";
type Step = "form" | "page" | "login" | "consent" | "no interaction";

const wrongAnswers = [
  ...["answers nothing", "answers null", "answers false", "answers true", "answers a number", "answers a text"],
  ...["answers an array", "answers an object", "answers a function"],
] as readonly FrontEndFailure[];
const everyFailure = [...(Object.keys(failures) as FrontEndFailure[]), ...wrongAnswers];

interface Expected {
  /** The request at which the function is called; those before it lead up to it. */
  readonly at: Step;
  readonly outcome: (failure: FrontEndFailure) => Outcome;
}

const throwing = (failure: FrontEndFailure): boolean => failure.startsWith("throws");
const unreadable = (failure: FrontEndFailure): boolean => failure === "answers what cannot be read";
/** Of those that nothing depends on. */
const always = (outcome: Outcome) => (): Outcome => outcome;
/** Of those that decide something: whatever is none of these answers is a fault, and the client is told to come back. */
const decided =
  (answers: Partial<Record<FrontEndFailure, Outcome>>) =>
  (failure: FrontEndFailure): Outcome =>
    answers[failure] ?? 503;

/** What the client gets when the function fails. */
const expected: Readonly<Record<FrontEndHook, Expected>> = {
  endpoint: { at: "form", outcome: (failure) => (failure === "never ends" ? 503 : "closed") },
  onError: { at: "form", outcome: always("closed") },
  address: { at: "form", outcome: (failure) => (throwing(failure) ? "closed" : 200) },
  certificate: {
    at: "form",
    outcome: (failure) => {
      if (failure === "answers nothing") return 200;
      const primitive = /null|false|true|number|text$/.test(failure) && failure.startsWith("answers");
      return throwing(failure) || unreadable(failure) || primitive ? "closed" : 500;
    },
  },
  onUnreadableCertificate: { at: "form", outcome: always(200) },
  onBackendFailure: { at: "form", outcome: always(503) },
  onRefusal: { at: "form", outcome: always(400) },
  // What is no answer of a backend is a fault that nobody foresees.
  backend: { at: "form", outcome: (failure) => (wrongAnswers.includes(failure) ? "closed" : 503) },
  authenticate: { at: "form", outcome: decided({ "answers nothing": 401, "answers an object": 200 }) },
  authenticateUser: { at: "form", outcome: decided({ "answers nothing": 400, "answers null": 400 }) },
  "userInfo.claims": { at: "form", outcome: decided({ "answers an object": 200 }) },
  "users.authenticate": { at: "login", outcome: decided({ "answers nothing": 200, "answers null": 200 }) },
  "users.claims": { at: "consent", outcome: decided({ "answers an object": 303 }) },
  "pages.login": { at: "page", outcome: always(503) },
  "pages.consent": { at: "login", outcome: always(503) },
  "pages.message": { at: "no interaction", outcome: always(400) },
  "consents.granted": {
    at: "login",
    outcome: decided({ "answers nothing": 200, "answers null": 200, "answers an array": 200 }),
  },
  // Nobody asks what it answers, only whether it is done.
  "consents.grant": {
    at: "consent",
    outcome: (failure) => (wrongAnswers.includes(failure) ? 303 : 503),
  },
};

interface Answer {
  readonly outcome: Outcome;
  readonly text: string;
  readonly cookies: readonly string[];
}

/** Sends one request on a connection of its own and waits for the whole answer, or for the connection's end. */
async function ask(
  url: string,
  form: Readonly<Record<string, string>> | undefined,
  more: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const headers = { "content-type": "application/x-www-form-urlencoded", ...more };
  const sent = send(url, {
    method: form === undefined ? "GET" : "POST",
    agent: new Agent({ keepAlive: false }),
    headers: form === undefined ? more : { ...headers, "sec-fetch-site": "same-origin" },
  });
  sent.end(new URLSearchParams(form).toString());
  try {
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    let text = "";
    for await (const chunk of answer.setEncoding("utf8")) text += String(chunk);
    const cookies = (answer.headers["set-cookie"] ?? []).map((line) => line.split(";")[0] ?? "");
    return { outcome: answer.statusCode ?? 0, text, cookies };
  } catch {
    return { outcome: "closed", text: "", cookies: [] };
  }
}

const ways: Readonly<Record<Step, readonly Step[]>> = {
  form: ["form"],
  page: ["page"],
  login: ["page", "login"],
  consent: ["page", "login", "consent"],
  "no interaction": ["no interaction"],
};

const redirected = "?redirect_uri=https%3A%2F%2Fapp.example.com%2F";

/** Goes as far as this step, whose request alone is marked. */
async function goTo(url: string, at: Step, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  let last: Answer = { outcome: "closed", text: "", cookies: [] };
  const jar = new Map<string, string>();
  for (const step of ways[at]) {
    const interaction = /name="interaction" value="([^"]*)"/.exec(last.text)?.[1] ?? "none";
    const forms = {
      form: { token: "x" },
      page: undefined,
      login: { interaction, username: "alice", password: "x" },
      consent: { interaction, decision: "allow", scope: "email" },
      "no interaction": { interaction },
    };
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const sent = { ...headers, ...(cookie === "" ? {} : { cookie }) };
    last = await ask(`${url}${redirected}${step === at ? "&last" : ""}`, forms[step], sent);
    for (const one of last.cookies) jar.set(one.slice(0, one.indexOf("=")), one.slice(one.indexOf("=") + 1));
  }
  return last;
}

test("no function of a front end's own ends the process or keeps a client waiting, however it fails", async (t) => {
  const frontEnds = new Map<string, BrokenFrontEnd & { hook: FrontEndHook; failure: FrontEndFailure }>();
  for (const hook of Object.keys(expected) as FrontEndHook[]) {
    for (const failure of everyFailure) frontEnds.set(`/${frontEnds.size}`, { hook, failure });
  }
  const child = await forkProgram<FrontEndHooksCommands>(t, program);
  const url = await child.tell("start", Object.fromEntries(frontEnds));
  for (const hook of Object.keys(expected) as FrontEndHook[]) {
    const { at, outcome } = expected[hook];
    const headers = hook === "userInfo.claims" ? { authorization: "Bearer token" } : {};
    const paths = [...frontEnds].filter(([, one]) => one.hook === hook);
    const got = await Promise.all(
      paths.map(async ([path, { failure }]) => [failure, (await goTo(url + path, at, headers)).outcome] as const),
    );
    for (const [failure, one] of got) t.is(one, outcome(failure), `${hook} ${failure}`);
  }
  t.deepEqual(await child.tell("escaped"), { uncaught: [], unhandled: [] });
  const told = await child.tell("told");
  for (const [path, { hook, failure }] of frontEnds) {
    if (hook === "onError" || hook === "onBackendFailure") continue;
    const outcome = expected[hook].outcome(failure);
    if (outcome === 503 || outcome === "closed") t.true((told[path] ?? 0) > 0, `${hook} ${failure}: nobody is told`);
  }
});

test("no response ends the front end's process or keeps a client waiting, whatever cannot be written", async (t) => {
  const hooks = ["endpoint", "onError", "onRefusal", "address", "users.authenticate", "pages.message"] as const;
  const frontEnds = new Map<string, BrokenFrontEnd & { hook: FrontEndHook; response: BrokenResponse }>();
  for (const response of Object.keys(brokenResponses) as BrokenResponse[]) {
    for (const hook of hooks) {
      for (const failure of ["throws", "answers nothing", "never ends"] as const) {
        frontEnds.set(`/${frontEnds.size}`, { hook, response, failure });
      }
    }
  }
  const child = await forkProgram<FrontEndHooksCommands>(t, program);
  const url = await child.tell("start", Object.fromEntries(frontEnds));
  for (const [path, { hook, response, failure = "throws" }] of frontEnds) {
    const { at, outcome } = expected[hook];
    const got = (await goTo(url + path, at)).outcome;
    const wanted = response.startsWith("another answer") ? [200, 204, "closed"] : ["closed"];
    // Nobody calls it here: Node's own `writeHead` has no need of it.
    const whole = response === "setHeader throws" ? [...wanted, outcome(failure)] : wanted;
    t.true(whole.includes(got), `${response}, ${hook} ${failure}: ${got}`);
  }
  t.deepEqual(await child.tell("escaped"), { uncaught: [], unhandled: [] });
});

test("a body that another program has read already is no reason to wait for it", async (t) => {
  const faults: string[] = [];
  const handler = nodeHandler(
    {
      "/token": tokenEndpoint({ realm: "test", backend: { authToken: () => Promise.reject(new Error("not asked")) } }),
    },
    { certificate: () => undefined, onError: ({ message }) => faults.push(message) },
  );
  const server = createServer((request, response) => {
    request.resume().once("close", () => {
      handler(request, response);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  t.is((await ask(`http://127.0.0.1:${port}/token`, { token: "x" })).outcome, "closed");
  t.deepEqual(faults, ["The body of the request was read before the endpoint could read it."]);
});
