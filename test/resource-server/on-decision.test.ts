import { AsyncLocalStorage } from "node:async_hooks";
import test from "ava";
import type { DecisionEvent } from "../../src/resource-server/observers/decision-events.ts";
import type { Warning } from "../../src/resource-server/environment.ts";
import { createResourceServer } from "../../src/resource-server/resource-server.ts";
import { createAuthority } from "../support/certificates.ts";
import { factsBoundTo, startProtectedApi } from "../support/protected-api.ts";
import { boundFacts, createScripted, otherX5tS256, start } from "../support/scripted-backend.ts";

const authority = createAuthority({ subject: "CN=Client CA" });
const a = authority.issue({ subject: "CN=client-a" });
const b = authority.issue({ subject: "CN=client-b" });

function createObserved(options: Parameters<typeof createScripted>[0] = {}) {
  const events: DecisionEvent[] = [];
  const warnings: Warning[] = [];
  const scripted = createScripted({
    onDecision: (event) => events.push(event),
    onWarning: (warning) => warnings.push(warning),
    ...options,
  });
  return { ...scripted, events, warnings };
}

for (const decide of ["library", "backend"] as const) {
  test(`each request over HTTP is one event, whatever becomes of it (decide: ${decide})`, async (t) => {
    const events: DecisionEvent[] = [];
    const api = await startProtectedApi(t, { library: { decide, onDecision: (event) => events.push(event) } });
    api.backend.tokens.set("token-a", factsBoundTo(a));
    api.backend.tokens.set("unbound", factsBoundTo(undefined));
    const told = async (request: Promise<unknown>) => {
      await request;
      return events.splice(0).map(({ outcome, code, facts }) => [outcome, code, facts]);
    };
    t.deepEqual(await told(api.get("token-a", a)), [["granted", "granted", "asked"]]);
    t.deepEqual(await told(api.get("token-a", a)), [["granted", "granted", "remembered"]]);
    const facts = decide === "library" ? "remembered" : "asked";
    t.deepEqual(await told(api.get("token-a", b)), [["refused", "certificate_mismatch", facts]]);
    t.deepEqual(await told(api.get("token-a")), [["refused", "certificate_missing", facts]]);
    t.deepEqual(await told(api.get("unbound", a)), [["refused", "token_unbound", "asked"]]);
    t.deepEqual(await told(api.get("nobody-knows", a)), [["refused", "token_unknown", "asked"]]);
    t.deepEqual(await told(api.get(undefined, a)), [["refused", "credentials_missing", undefined]]);
    t.deepEqual(await told(api.get("two words", a)), [["refused", "request_malformed", undefined]]);
    api.backend.respond = () => ({ status: 500, json: {} });
    t.deepEqual(await told(api.get("another", a)), [["unavailable", "introspection_unavailable", undefined]]);
    api.backend.respond = () => ({ json: [] });
    t.deepEqual(await told(api.get("another", a)), [["unavailable", "introspection_malformed", undefined]]);
  });

  test(`scopes that a later middleware demands are a decision of their own (decide: ${decide})`, async (t) => {
    const events: DecisionEvent[] = [];
    const api = await startProtectedApi(t, {
      library: { decide, issuer: "https://as.example.com", onDecision: [(event) => events.push(event)] },
    });
    api.backend.tokens.set("token-a", factsBoundTo(a));
    t.is((await api.get("token-a", a, { url: `${api.url}/pay` })).status, 403);
    t.deepEqual(
      events.map(({ outcome, code }) => [outcome, code]),
      [
        ["granted", "granted"],
        ["refused", "scope_insufficient"],
      ],
    );
    t.like(events[1]?.diagnosis, { check: "scope", expected: "pay", found: "read", issuer: "https://as.example.com" });
    t.is(events[1]?.clientId, "4711");
    api.backend.tokens.set("token-pay", factsBoundTo(a, { scope: "read pay" }));
    t.is((await api.get("token-pay", a, { url: `${api.url}/pay` })).status, 200);
    t.is(events.length, 3);
  });
}

test("an event has its time, its duration and its client", async (t) => {
  const { backend, authorize, events, pass } = createObserved({ issuer: "https://as.example.com" });
  backend.tokens.set("good", boundFacts());
  backend.before = () => {
    pass(25);
  };
  await authorize("good");
  t.like(events[0], {
    outcome: "granted",
    issuer: "https://as.example.com",
    clientId: "4711",
    startedAt: start,
    duration: 25,
    diagnosis: undefined,
  });
  t.is(events[0]?.accessToken?.sub, "user");
  t.true(Object.isFrozen(events[0]));
});

test("the clock may step back: a duration does not", async (t) => {
  const { backend, authorize, events, time } = createObserved();
  backend.tokens.set("good", boundFacts());
  backend.before = () => {
    time.wall -= 3_600_000;
    time.monotonic += 3;
  };
  await authorize("good");
  t.is(events[0]?.duration, 3);
});

test("wrong arguments, and a request whose own signal is aborted, are no decision", async (t) => {
  const { backend, authorize, events } = createObserved();
  backend.tokens.set("good", boundFacts());
  await t.throwsAsync(authorize(1 as never), { instanceOf: TypeError });
  await t.throwsAsync(authorize("good", { certificate: "x" as never }), { instanceOf: TypeError });
  await t.throwsAsync(authorize("good", { requirement: { scope: [] } as never }), { instanceOf: TypeError });
  await t.throwsAsync(authorize("good", { signal: AbortSignal.abort(new Error("gone")) }), { message: "gone" });
  const controller = new AbortController();
  backend.before = async () => {
    await Promise.resolve();
    controller.abort(new Error("gone meanwhile"));
  };
  await t.throwsAsync(authorize("good", { signal: controller.signal }), { message: "gone meanwhile" });
  t.deepEqual(events, []);
  backend.before = undefined;
  await authorize("good");
  t.is(events.length, 1);
});

test("each of many who wait for one answer has its own event", async (t) => {
  const { backend, authorize, events } = createObserved();
  backend.tokens.set("good", boundFacts());
  const other = { certificate: { x5tS256: otherX5tS256 } };
  await Promise.allSettled(Array.from({ length: 100 }, (_, n) => authorize("good", n % 2 ? other : {})));
  t.is(backend.asked.length, 1);
  t.is(events.filter(({ outcome }) => outcome === "granted").length, 50);
  t.is(events.filter(({ code }) => code === "certificate_mismatch").length, 50);
});

test("every observer runs in the request's own asynchronous context, also if an answer is shared", async (t) => {
  const storage = new AsyncLocalStorage<number>();
  const seen = new Map<number | undefined, string | undefined>();
  const { backend, authorize } = createObserved({
    onDecision: ({ duration }) => seen.set(storage.getStore(), String(duration)),
  });
  backend.tokens.set("good", boundFacts());
  await Promise.all(Array.from({ length: 10 }, (_, n) => storage.run(n, () => authorize("good"))));
  t.is(backend.asked.length, 1);
  t.deepEqual([...seen.keys()].sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("a refusal made for another framework is reported, and has the same challenges", (t) => {
  const { resourceServer, events } = createObserved({ realm: "house", issuer: "https://as.example.com" });
  const missing = resourceServer.refuse("credentials_missing");
  t.is(missing.challenge, 'Bearer realm="house"');
  const malformed = resourceServer.refuse("request_malformed", { realm: "room", reason: "two of them" });
  t.is(malformed.challenge, 'Bearer realm="room", error="invalid_request"');
  t.is(malformed.diagnosis.reason, "two of them");
  t.deepEqual(
    events.map(({ code, diagnosis }) => [code, diagnosis]),
    [missing, malformed].map(({ code, diagnosis }) => [code, diagnosis]),
  );
});

test("an observer that throws or rejects harms neither the decision nor the others, and is warned of once", async (t) => {
  const told: string[] = [];
  const broken = new Error("broken");
  const { backend, authorize, warnings } = createObserved({
    onDecision: [
      () => {
        throw broken;
      },
      () => Promise.reject(broken),
      ({ code }) => told.push(code),
    ],
  });
  backend.tokens.set("good", boundFacts());
  for (let n = 0; n < 3; n++) t.is((await authorize("good")).sub, "user");
  await t.throwsAsync(authorize("bad"), { message: /refused/ });
  t.deepEqual(told, ["granted", "granted", "granted", "token_unknown"]);
  t.deepEqual(
    warnings.map(({ code, cause }) => [code, cause]),
    [["CERTBOUND_OBSERVER_FAILED", broken]],
  );
});

test("a failing warning hook changes no decision", async (t) => {
  for (const onWarning of [
    () => Promise.reject(new Error("no log")),
    () => {
      throw new Error("no log");
    },
  ]) {
    const { backend, authorize } = createScripted({ onWarning });
    backend.tokens.set("good", boundFacts({ aud: "https://other.example" }));
    t.is((await authorize("good")).sub, "user");
  }
});

test("an observer cannot change the result of the request", async (t) => {
  const { backend, authorize } = createObserved({
    onDecision: (event) => {
      (event.accessToken as { sub: string }).sub = "root";
    },
  });
  backend.tokens.set("good", boundFacts());
  t.is((await authorize("good")).sub, "user");
});

test("a value that is no function, nor an array of functions, is rejected by the option's name", (t) => {
  const { backend } = createScripted();
  for (const onDecision of ["x", {}, null, [1], [() => 1, undefined]]) {
    t.throws(() => createResourceServer({ backend, onDecision } as never), { message: /^onDecision / });
  }
  t.throws(() => createResourceServer({ backend, onWarning: "x" } as never), { message: /^onWarning / });
});
