import test from "ava";
import { createChainVerifier } from "../../../src/backend/chain-verification/create-chain-verifier.ts";
import { createFairTurns } from "../../../src/backend/chain-verification/fair-turns.ts";
import { ChainVerificationFailure } from "../../../src/backend/chain-verification/openssl-process.ts";
import { createAuthority } from "../../support/certificates.ts";
import { createStandIn } from "./stand-in-openssl.ts";

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

test("who has waited too long is turned away, and does not run when a place comes free", async (t) => {
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

test("clients take turns, however many tasks one of them has, and each has a bound of its own", async (t) => {
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
