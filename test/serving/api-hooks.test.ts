import { connect } from "node:net";
import { once } from "node:events";
import test from "ava";
import type { ApiHooksCommands, BrokenApi, ApiEntry, ApiHook } from "../support/api-hooks-program.ts";
import { brokenResponses, type BrokenResponse, failures, type Failure } from "../support/failing-hooks.ts";
import { forkProgram } from "../support/forked-program.ts";

const entries: readonly ApiEntry[] = ["node", "node, upgrade", "express", "koa", "fastify"];

/** What the client gets when the hook fails: of those that decide something 500, of those that are only told their usual. */
const expected: Readonly<Record<ApiHook, { readonly token: "good" | "bad"; readonly outcomes: readonly Outcome[] }>> = {
  onDecision: { token: "good", outcomes: [200, 101] },
  onWarning: { token: "good", outcomes: [200, 101] },
  onRefusal: { token: "bad", outcomes: [401] },
  onError: { token: "good", outcomes: [500] },
  listener: { token: "good", outcomes: [500] },
  ask: { token: "good", outcomes: [500, 503] },
  // What is not `true` is no claim; the token is then shown to the other issuer.
  claims: { token: "good", outcomes: [500, 503, 200, 101] },
  certificate: { token: "good", outcomes: [500] },
  requirement: { token: "good", outcomes: [500] },
  issuer: { token: "good", outcomes: [500] },
};
type Outcome = number | "closed";

/** Sends one request on a connection of its own and waits for the status, or for the connection's end without one. */
async function ask(url: string, path: string, token: "good" | "bad", upgrade: boolean): Promise<Outcome> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const lines = [`GET ${path} HTTP/1.1`, "Host: localhost", `Authorization: Bearer ${token}`];
  lines.push(...(upgrade ? ["Connection: Upgrade", "Upgrade: websocket"] : ["Connection: close"]), "", "");
  let received = "";
  socket.setEncoding("utf8").on("data", (text: string) => (received += text));
  socket.on("error", () => undefined);
  const closed = once(socket, "close");
  socket.write(lines.join("\r\n"));
  await closed;
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(received)?.[1];
  return status === undefined ? "closed" : Number(status);
}

for (const entry of entries) {
  test(`no hook ends the process or keeps a client waiting, however it fails (${entry})`, async (t) => {
    const apis = new Map<string, BrokenApi & { hook: ApiHook; failure: Failure }>();
    for (const hook of Object.keys(expected) as ApiHook[]) {
      // Elsewhere they are the framework's.
      if ((hook === "onError" || hook === "listener") && !entry.startsWith("node")) continue;
      for (const failure of Object.keys(failures) as Failure[]) {
        // What the API's own code never answers is the API's own affair, and so is what it makes of its answer.
        const own = failure === "never ends" || failure.startsWith("answers");
        if (own && (hook === "listener" || hook === "onError")) continue;
        apis.set(`/${apis.size}`, { entry, hook, failure });
      }
    }
    const program = await forkProgram<ApiHooksCommands>(t, new URL("../support/api-hooks-program.ts", import.meta.url));
    const url = await program.tell("start", Object.fromEntries(apis));
    for (const [path, { hook, failure }] of apis) {
      const { token, outcomes } = expected[hook];
      const outcome = await ask(url, path, token, entry === "node, upgrade");
      t.true(outcomes.includes(outcome), `${hook} ${failure}: ${outcome}`);
    }
    t.deepEqual(await program.tell("escaped"), { uncaught: [], unhandled: [] });
  });

  if (entry === "node, upgrade") continue;
  test(`no response object ends the process or keeps a client waiting, whatever cannot be written (${entry})`, async (t) => {
    const apis = new Map<string, BrokenApi & { response: BrokenResponse; failure: Failure | undefined }>();
    for (const response of Object.keys(brokenResponses) as BrokenResponse[]) {
      apis.set(`/${apis.size}`, { entry, response, failure: undefined } as never);
      apis.set(`/${apis.size}`, { entry, response, hook: "requirement", failure: "throws" });
    }
    const program = await forkProgram<ApiHooksCommands>(t, new URL("../support/api-hooks-program.ts", import.meta.url));
    const url = await program.tell("start", Object.fromEntries(apis));
    for (const [path, { response, failure }] of apis) {
      const outcome = await ask(url, path, "bad", false);
      const begun = response.startsWith("another");
      t.true(
        (begun ? [200, 204, "closed"] : [401, 500, "closed"]).includes(outcome),
        `${response} ${failure}: ${outcome}`,
      );
    }
    t.deepEqual(await program.tell("escaped"), { uncaught: [], unhandled: [] });
  });
}

test("middleware for HTTP stands in front of WebSockets as engine.io calls it, and nobody gets past it", async (t) => {
  const program = await forkProgram<ApiHooksCommands>(t, new URL("../support/api-hooks-program.ts", import.meta.url));
  const url = await program.tell("start", {});
  for (const entry of ["express", "node"]) {
    for (const events of [true, false]) {
      const path = `/engine/${entry}/${events}`;
      t.is(await ask(url, `${path}/none`, "good", true), 101);
      t.is(await ask(url, `${path}/none`, "bad", true), "closed");
      for (const failure of ["throws", "throws-nothing", "throws-a-text"]) {
        t.is(await ask(url, `${path}/${failure}`, "good", true), "closed", `${path} ${failure}`);
      }
    }
  }
  t.deepEqual(await program.tell("escaped"), { uncaught: [], unhandled: [] });
});
