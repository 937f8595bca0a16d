import test from "ava";
import { createChainVerifier } from "../../../src/backend/chain-verification/create-chain-verifier.ts";
import { createFairTurns } from "../../../src/backend/chain-verification/fair-turns.ts";
import { ChainVerificationFailure } from "../../../src/backend/chain-verification/openssl-process.ts";
import { createVerdictMemo } from "../../../src/backend/chain-verification/verdict-memo.ts";
import type { CertificatePath } from "../../../src/backend/engine/dependencies.ts";
import { createAuthority } from "../../support/certificates.ts";
import { createStandIn } from "./stand-in-openssl.ts";

const noon = Date.parse("2026-06-01T12:00:00Z");
const minute = 60_000;
const root = createAuthority({ subject: "CN=Root" });
const other = createAuthority({ subject: "CN=Other" });
const leaf = root.issue({ subject: "CN=client-a" });
const trusted: CertificatePath = { leaf: leaf.der, intermediates: [], anchors: [root.certificate.der] };
const refused: CertificatePath = { ...trusted, anchors: [other.certificate.der] };
const counting = 'printf . >>"$here/runs"; exec openssl "$@"';

/** A verifier, and how often it asked OpenSSL. */
async function createCounted(clock: () => number) {
  const standIn = await createStandIn(counting);
  const verifier = createChainVerifier({ clock, timeout: 60_000, ...standIn.options });
  return {
    verify: (path: CertificatePath) => verifier.verify(path, "1/1"),
    runs: () => standIn.runs(),
    [Symbol.asyncDispose]: () => standIn[Symbol.asyncDispose](),
  };
}

for (const [title, path] of [
  ["trusted", trusted],
  ["refused", refused],
] as const) {
  test.serial(`a ${title} path is asked for once in ten minutes, and again when the clock is set back`, async (t) => {
    let now = noon;
    await using verifier = await createCounted(() => now);
    const first = await verifier.verify(path);
    t.is(first.trusted, title === "trusted");
    now = noon + 10 * minute - 1;
    t.deepEqual(await verifier.verify(path), first);
    t.is(await verifier.runs(), 1);
    now = noon + 10 * minute;
    t.deepEqual(await verifier.verify(path), first);
    t.is(await verifier.runs(), 2);
    now = noon - 1;
    t.deepEqual(await verifier.verify(path), first);
    t.is(await verifier.runs(), 3);
  });
}

for (const title of ["leaf", "intermediate", "anchor"]) {
  test.serial(`a verdict ends with the validity of the ${title}, to the millisecond`, async (t) => {
    const soon = { notAfter: new Date(noon + minute) };
    const anchor = createAuthority({ subject: "CN=Anchor", ...(title === "anchor" ? soon : {}) });
    const between = createAuthority({ subject: "CN=B", parent: anchor, ...(title === "intermediate" ? soon : {}) });
    const path = {
      leaf: between.issue({ subject: "CN=a", ...(title === "leaf" ? soon : {}) }).der,
      intermediates: [between.certificate.der],
      anchors: [anchor.certificate.der],
    };
    let now = noon;
    await using verifier = await createCounted(() => now);
    t.deepEqual(await verifier.verify(path), { trusted: true });
    now = noon + minute - 1;
    t.deepEqual(await verifier.verify(path), { trusted: true });
    t.is(await verifier.runs(), 1);
    now = noon + minute;
    t.is((await verifier.verify(path)).trusted, false);
    t.is(await verifier.runs(), 2);
  });
}

test.serial("a refusal ends where a certificate becomes valid", async (t) => {
  const later = root.issue({ subject: "CN=client-a", notBefore: new Date(noon + minute) });
  const path = { ...trusted, leaf: later.der };
  let now = noon;
  await using verifier = await createCounted(() => now);
  t.is((await verifier.verify(path)).trusted, false);
  now = noon + minute - 1;
  t.is((await verifier.verify(path)).trusted, false);
  t.is(await verifier.runs(), 1);
  now = noon + minute;
  t.deepEqual(await verifier.verify(path), { trusted: true });
});

test.serial("a hundred equal requests at once take one process", async (t) => {
  await using verifier = await createCounted(() => noon);
  const verdicts = await Promise.all(Array.from({ length: 100 }, () => verifier.verify(trusted)));
  t.true(verdicts.every((verdict) => verdict.trusted));
  t.is(await verifier.runs(), 1);
});

test.serial("a request after a certificate has expired does not share the verdict of an earlier one", async (t) => {
  const short = root.issue({ subject: "CN=client-a", notAfter: new Date(noon + minute) });
  const path = { ...trusted, leaf: short.der };
  let now = noon + minute - 1;
  await using verifier = await createCounted(() => now);
  const before = verifier.verify(path);
  now = noon + minute;
  const after = verifier.verify(path);
  t.is((await before).trusted, true);
  t.is((await after).trusted, false);
  t.is((await verifier.verify(path)).trusted, false);
});

test.serial("another leaf, path, anchor or place needs another verdict", async (t) => {
  const between = createAuthority({ subject: "CN=Between", parent: root });
  const client = between.issue({ subject: "CN=client-a" });
  const [top, middle, foreign] = [root.certificate.der, between.certificate.der, other.certificate.der];
  await using verifier = await createCounted(() => noon);
  const questions: [CertificatePath, boolean][] = [
    [{ leaf: client.der, intermediates: [middle], anchors: [top] }, true],
    [{ leaf: client.der, intermediates: [], anchors: [middle, top] }, true],
    [{ leaf: client.der, intermediates: [middle, top], anchors: [foreign] }, false],
    [{ leaf: client.der, intermediates: [middle], anchors: [foreign] }, false],
    [{ leaf: client.der, intermediates: [top], anchors: [middle] }, false],
    [{ leaf: middle, intermediates: [client.der], anchors: [top] }, false],
  ];
  for (const [path, expected] of [...questions, ...questions]) t.is((await verifier.verify(path)).trusted, expected);
  t.is(await verifier.runs(), questions.length);
});

test("any number of refusals drives out no trusted path", (t) => {
  const memo = createVerdictMemo({ trusted: 2, refused: 2 });
  const period = { from: 0, until: 1 };
  memo.set("trusted", { trusted: true }, period);
  for (let each = 0; each < 100; each += 1) memo.set(`refused ${each}`, { trusted: false, reason: "" }, period);
  t.deepEqual(memo.get("trusted", 0), { trusted: true });
  t.is(memo.get("refused 0", 0), undefined);
  t.deepEqual(memo.get("refused 99", 0), { trusted: false, reason: "" });
});

test("a verdict replaces the opposite one of the same question", (t) => {
  const memo = createVerdictMemo({ trusted: 2, refused: 2 });
  memo.set("key", { trusted: true }, { from: 0, until: 1 });
  memo.set("key", { trusted: false, reason: "" }, { from: 1, until: 2 });
  t.is(memo.get("key", 0), undefined);
  t.deepEqual(memo.get("key", 1), { trusted: false, reason: "" });
  t.is(memo.get("key", 2), undefined);
});

/** A task that ends when it is told to. */
function createTask() {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const task = {
    started: false,
    end: () => {
      resolve(undefined);
    },
    run: () => {
      task.started = true;
      return promise;
    },
  };
  return task;
}

/** All that is ready to run has run. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

test("no more tasks run at once than allowed, the others in the order in which they came", async (t) => {
  const turns = createFairTurns({ concurrency: 2, queue: 10, queueOfClient: 10, timeout: 60_000 });
  const tasks = Array.from({ length: 5 }, createTask);
  const results = tasks.map((task) => turns.run("a", task.run));
  const started = () => tasks.map((task) => task.started);
  await settled();
  t.deepEqual(started(), [true, true, false, false, false]);
  tasks[1]?.end();
  await settled();
  t.deepEqual(started(), [true, true, true, false, false]);
  tasks[0]?.end();
  await settled();
  t.deepEqual(started(), [true, true, true, true, false]);
  for (const task of tasks) task.end();
  await Promise.all(results);
  t.deepEqual(started(), [true, true, true, true, true]);
});

test("one too many is turned away at once, and there is room again afterwards", async (t) => {
  const turns = createFairTurns({ concurrency: 1, queue: 1, queueOfClient: 1, timeout: 60_000 });
  const [first, second, third] = [createTask(), createTask(), createTask()];
  const running = [turns.run("a", first.run), turns.run("a", second.run)];
  const error = await t.throwsAsync(turns.run("a", third.run), { instanceOf: ChainVerificationFailure });
  t.is(error.message, "too many chains wait to be verified");
  t.false(third.started);
  first.end();
  second.end();
  await Promise.all(running);
  third.end();
  await turns.run("a", third.run);
  t.true(third.started);
});

test("a task that fails gives its place back", async (t) => {
  const turns = createFairTurns({ concurrency: 1, queue: 1, queueOfClient: 1, timeout: 60_000 });
  await t.throwsAsync(
    turns.run("a", () => Promise.reject(new Error("first"))),
    { message: "first" },
  );
  t.is(await turns.run("a", () => Promise.resolve("second")), "second");
});

test("a task that has waited too long is rejected, and does not run when a process becomes free", async (t) => {
  const turns = createFairTurns({ concurrency: 1, queue: 2, queueOfClient: 2, timeout: 1 });
  const [first, second, third] = [createTask(), createTask(), createTask()];
  const running = turns.run("a", first.run);
  const error = await t.throwsAsync(turns.run("a", second.run), { instanceOf: ChainVerificationFailure });
  t.is(error.message, "no openssl process came free within 1 ms");
  first.end();
  await running;
  third.end();
  await turns.run("a", third.run);
  t.false(second.started);
});

test("questions beyond the verifier's queue fail, and the others are answered", async (t) => {
  await using standIn = await createStandIn('exec openssl "$@"');
  const root = createAuthority({ subject: "CN=Root" });
  const clock = () => Date.parse("2026-06-01T12:00:00Z");
  const verifier = createChainVerifier({ clock, concurrency: 2, queue: 3, timeout: 60_000, ...standIn.options });
  const questions = Array.from({ length: 9 }, (_, index) => ({
    leaf: root.issue({ subject: `CN=client-${index}` }).der,
    intermediates: [],
    anchors: [root.certificate.der],
  }));
  const answers = await Promise.allSettled(questions.map((question) => verifier.verify(question, "1/1")));
  t.is(answers.filter(({ status }) => status === "fulfilled").length, 5);
  for (const answer of answers) {
    if (answer.status === "fulfilled") t.deepEqual(answer.value, { trusted: true });
    else t.true(answer.reason instanceof ChainVerificationFailure);
  }
  t.deepEqual(await standIn.leftovers(), []);
});

test("processes are shared fairly between clients, and each client has a bound of its own", async (t) => {
  const turns = createFairTurns({ concurrency: 1, queue: 10, queueOfClient: 3, timeout: 60_000 });
  const first = createTask();
  const order: string[] = [];
  const run = (client: string, name: string) =>
    turns.run(client, () => {
      order.push(name);
      return Promise.resolve();
    });
  const running: Promise<unknown>[] = [turns.run("x", first.run)];
  for (const name of ["x1", "x2", "x3"]) running.push(run("x", name));
  await t.throwsAsync(run("x", "x4"), { instanceOf: ChainVerificationFailure });
  running.push(run("y", "y1"), run("y", "y2"), run("z", "z1"));
  first.end();
  await Promise.all(running);
  t.deepEqual(order, ["x1", "y1", "z1", "x2", "y2", "x3"]);
});
