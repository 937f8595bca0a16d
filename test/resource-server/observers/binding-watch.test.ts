import test from "ava";
import { createBindingWatch } from "../../../src/resource-server/observers/binding-watch.ts";
import type { DecisionEvent } from "../../../src/resource-server/observers/decision-events.ts";
import type { Warning } from "../../../src/resource-server/environment.ts";
import { readIntrospection } from "../../../src/resource-server/sources/introspection-answer.ts";
import { boundFacts, createScripted, createScriptedBackend, start, x5tS256 } from "../../support/scripted-backend.ts";

const now = start / 1000;

function createAlarmed(options: Parameters<typeof createScripted>[0] = {}) {
  const warnings: Warning[] = [];
  const events: DecisionEvent[] = [];
  const scripted = createScripted({
    onWarning: (warning) => warnings.push(warning),
    onDecision: (event) => events.push(event),
    ...options,
  });
  let tokens = 0;
  return {
    ...scripted,
    warnings,
    events,
    lost: () => events.filter(({ bindingLost }) => bindingLost).length,
    /** Puts a token with these facts, a new one each time, to a route that takes unbound ones; its outcome. */
    present: (change: object = {}, binding: "required" | "if-bound" = "if-bound"): Promise<string> => {
      const token = `token-${++tokens}`;
      scripted.backend.tokens.set(token, boundFacts(change));
      return scripted.authorize(token, { requirement: { binding } }).then(
        () => "granted",
        (error: unknown) => (error as { code: string }).code,
      );
    },
  };
}

const unbound = { cnf: undefined };

test("a client with bound tokens that presents an unbound one is reported, by issuer and client", async (t) => {
  const { present, warnings, lost, events } = createAlarmed({ issuer: "https://as.example.com" });
  t.is(await present(), "granted");
  t.is(await present(unbound), "granted");
  t.is(lost(), 1);
  t.like(events[1], { outcome: "granted", bindingLost: true, clientId: "4711" });
  t.is(warnings.length, 1);
  t.is(warnings[0]?.code, "CERTBOUND_BINDING_LOST");
  t.regex(warnings[0]?.message ?? "", /client "4711" of the issuer https:\/\/as\.example\.com /);
  t.notRegex(warnings[0]?.message ?? "", /token-\d/);
});

test("also where the route refuses it", async (t) => {
  const { present, warnings, lost, events } = createAlarmed();
  await present();
  t.is(await present(unbound, "required"), "token_unbound");
  t.is(lost(), 1);
  t.like(events[1], { code: "token_unbound", bindingLost: true });
  t.is(warnings.length, 1);
});

test("once for each loss: not for each token, nor for each request with a remembered answer", async (t) => {
  const { present, authorize, warnings, lost, pass } = createAlarmed();
  await present();
  await present(unbound);
  for (let n = 0; n < 3; n++) await authorize("token-2", { requirement: { binding: "if-bound" } });
  await present(unbound);
  pass(30_000);
  await authorize("token-2", { requirement: { binding: "if-bound" } });
  t.is(lost(), 1);
  t.is(warnings.length, 1);
});

test("anew when it was bound in between; the operator's log hears of one client once a minute", async (t) => {
  const { present, warnings, lost, pass } = createAlarmed();
  for (let n = 0; n < 10; n++) {
    await present();
    await present(unbound);
  }
  t.is(lost(), 10);
  t.is(warnings.length, 1);
  pass(60_000);
  await present();
  await present(unbound);
  t.is(warnings.length, 2);
});

test("each client is watched by itself, and one that never was bound is not reported", async (t) => {
  const { present, warnings } = createAlarmed();
  await present({ client_id: "a" });
  await present({ ...unbound, client_id: "b" });
  await present({ ...unbound, client_id: undefined });
  t.is(warnings.length, 0);
  await present({ ...unbound, client_id: "a" });
  t.is(warnings.length, 1);
});

test("each issuer is watched by itself, though their clients have the same id", async (t) => {
  const [one, other] = [createScriptedBackend(), createScriptedBackend()];
  const warnings: Warning[] = [];
  const { authorize } = createScripted({
    backend: undefined,
    timeout: undefined,
    onWarning: (warning: Warning) => warnings.push(warning),
    issuers: [
      { issuer: "https://one", backend: one },
      { issuer: "https://other", backend: other },
    ],
  } as never);
  one.tokens.set("bound", boundFacts());
  one.tokens.set("unbound", boundFacts(unbound));
  other.tokens.set("unbound", boundFacts(unbound));
  const requirement = { binding: "if-bound" } as const;
  await authorize("bound", { issuer: "https://one", requirement });
  await authorize("unbound", { issuer: "https://other", requirement });
  t.is(warnings.length, 0);
  await authorize("unbound", { issuer: "https://one", requirement });
  t.is(warnings.length, 1);
});

for (const [what, cnf] of [
  ["malformed", { "x5t#S256": "short" }],
  ["of a kind that is not checked here", { jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }],
] as const) {
  test(`a binding that is ${what} is no loss, and can be lost`, async (t) => {
    const { present, warnings } = createAlarmed();
    await present();
    await present({ cnf });
    t.is(warnings.length, 0);
    await present(unbound);
    t.is(warnings.length, 1);
  });
}

test("only active tokens count: no other token triggers or silences the alarm", async (t) => {
  const { present, authorize, warnings, events } = createAlarmed();
  const dead = [{ exp: now - 1 }, { exp: now }, { nbf: now + 1 }, { active: false }];
  for (const change of dead) await present({ ...change });
  await present(unbound);
  t.is(warnings.length, 0, "a dead bound token is no binding");
  await present();
  for (const change of dead) await present({ ...unbound, ...change });
  await t.throwsAsync(authorize("made up"));
  t.is(warnings.length, 0, "a dead unbound token is no loss");
  await present(unbound);
  for (const change of dead) await present(change);
  await present(unbound);
  t.is(events.filter(({ bindingLost }) => bindingLost).length, 1, "a dead bound token is no recovery");
});

test("a token issued before is neither loss nor recovery, if the answers have iat", async (t) => {
  const { present, lost } = createAlarmed();
  await present({ iat: now - 50 });
  await present({ ...unbound, iat: now - 100 });
  t.is(lost(), 0, "left from before the client was bound");
  await present({ ...unbound, iat: now - 50 });
  t.is(lost(), 1, "issued in the same second");
  await present({ iat: now - 60 });
  await present({ ...unbound, iat: now - 10 });
  t.is(lost(), 1, "an old bound token does not bring the binding back");
  await present({ iat: now - 5 });
  await present({ ...unbound, iat: now - 1 });
  t.is(lost(), 2);
});

test("an instant of issue that is to come hides no loss", async (t) => {
  const { present, lost, pass } = createAlarmed();
  await present({ iat: now + 1_000_000 });
  pass(1000);
  await present({ ...unbound, iat: now + 1 });
  t.is(lost(), 1);
});

test("many who wait for one answer get one report of a loss, even if none of them waits to the end", async (t) => {
  const { backend, authorize, present, events, warnings } = createAlarmed();
  await present();
  backend.tokens.set("unbound", boundFacts(unbound));
  const requirement = { binding: "if-bound" } as const;
  await Promise.all(Array.from({ length: 50 }, () => authorize("unbound", { requirement })));
  t.is(events.filter(({ bindingLost }) => bindingLost).length, 1);
  await present();
  const controller = new AbortController();
  backend.tokens.set("hidden", boundFacts({ ...unbound, client_id: "hidden" }));
  await present({ client_id: "hidden" });
  backend.before = async () => {
    await Promise.resolve();
    controller.abort(new Error("gone"));
  };
  await t.throwsAsync(authorize("hidden", { requirement, signal: controller.signal }), { message: "gone" });
  backend.before = undefined;
  await authorize("hidden", { requirement });
  await authorize("hidden", { requirement });
  t.true(warnings.some(({ message }) => message.includes('"hidden"')));
  t.is(events.filter(({ bindingLost, clientId }) => bindingLost && clientId === "hidden").length, 1);
});

test("a backend that decides is watched, too", async (t) => {
  const warnings: Warning[] = [];
  const bound = new Map([
    ["bound", x5tS256],
    ["unbound", undefined],
  ]);
  const { authorize } = createScripted({
    decide: "backend",
    onWarning: (warning) => warnings.push(warning),
    backend: {
      ...createScriptedBackend(),
      authIntrospection({ token }) {
        const certificateThumbprint = bound.get(token);
        const answer = { action: "OK" as const, resultCode: "A056001", resultMessage: "Yes.", clientId: 4711 };
        return Promise.resolve({ ...answer, ...(certificateThumbprint && { certificateThumbprint }) });
      },
    },
  });
  const requirement = { binding: "if-bound" } as const;
  const certificate = { x5tS256, raw: Buffer.from("DER") };
  await authorize("bound", { certificate, requirement });
  t.is(warnings.length, 0);
  await authorize("unbound", { certificate, requirement });
  t.deepEqual(
    warnings.map(({ code }) => code),
    ["CERTBOUND_BINDING_LOST"],
  );
});

test("the number of watched clients is bounded, and clients that never were bound are not stored", (t) => {
  const warnings: Warning[] = [];
  const watch = createBindingWatch({
    issuer: undefined,
    warn: (warning) => void warnings.push(warning),
    monotonicClock: () => 0,
    maxClients: 2,
  });
  const look = (clientId: string, change: object = {}) => {
    const record = readIntrospection(boundFacts({ client_id: clientId, ...change }));
    return "accessToken" in record && watch.look(record.facts, record.accessToken, start);
  };
  look("a");
  look("b");
  for (let n = 0; n < 100; n++) look(`never-bound-${n}`, unbound);
  t.true(look("a", unbound), "who was never bound pushes nobody out");
  look("c");
  t.false(look("b", unbound), "the one not seen for longest is forgotten");
  t.true(look("c", unbound));
});

test("a client's name cannot write lines into the log", async (t) => {
  const { present, warnings } = createAlarmed();
  const client_id = `x\nCERTBOUND_ALL_IS_WELL"\u2028${"y".repeat(10_000)}`;
  await present({ client_id });
  await present({ ...unbound, client_id });
  t.is(warnings.length, 1);
  t.notRegex(warnings[0]?.message ?? "", /[\n\u2028]/);
  t.true((warnings[0]?.message.length ?? 0) < 600);
});
