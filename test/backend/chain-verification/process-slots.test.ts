import test from "ava";
import { ChainVerificationFailure } from "../../../src/backend/chain-verification/chain-verification-failure.ts";
import { createChainVerifier } from "../../../src/backend/chain-verification/create-chain-verifier.ts";
import { createProcessSlots } from "../../../src/backend/chain-verification/process-slots.ts";
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
  const slots = createProcessSlots({ concurrency: 2, queue: 10, timeout: 60_000 });
  const tasks = Array.from({ length: 5 }, createTask);
  const results = tasks.map((task) => slots.run(task.run));
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
  const slots = createProcessSlots({ concurrency: 1, queue: 1, timeout: 60_000 });
  const [first, second, third] = [createTask(), createTask(), createTask()];
  const running = [slots.run(first.run), slots.run(second.run)];
  const error = await t.throwsAsync(slots.run(third.run), { instanceOf: ChainVerificationFailure });
  t.is(error.message, "too many chains wait to be verified");
  t.false(third.started);
  first.end();
  second.end();
  await Promise.all(running);
  third.end();
  await slots.run(third.run);
  t.true(third.started);
});

test("a task that fails gives its place back", async (t) => {
  const slots = createProcessSlots({ concurrency: 1, queue: 1, timeout: 60_000 });
  await t.throwsAsync(
    slots.run(() => Promise.reject(new Error("first"))),
    { message: "first" },
  );
  t.is(await slots.run(() => Promise.resolve("second")), "second");
});

test("who has waited too long is turned away, and does not run when a place comes free", async (t) => {
  const slots = createProcessSlots({ concurrency: 1, queue: 2, timeout: 1 });
  const [first, second, third] = [createTask(), createTask(), createTask()];
  const running = slots.run(first.run);
  const error = await t.throwsAsync(slots.run(second.run), { instanceOf: ChainVerificationFailure });
  t.is(error.message, "no openssl process came free within 1 ms");
  first.end();
  await running;
  third.end();
  await slots.run(third.run);
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
  const answers = await Promise.allSettled(questions.map((question) => verifier.verify(question)));
  t.is(answers.filter(({ status }) => status === "fulfilled").length, 5);
  for (const answer of answers) {
    if (answer.status === "fulfilled") t.deepEqual(answer.value, { trusted: true });
    else t.true(answer.reason instanceof ChainVerificationFailure);
  }
  t.deepEqual(await standIn.leftovers(), []);
});
