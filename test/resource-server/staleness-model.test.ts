import test from "ava";
import fc from "fast-check";
import { createStreamingWorld } from "../support/streaming-world.ts";

const tokens = ["a1", "a2", "b1", "c1"];
type World = ReturnType<typeof createStreamingWorld>;
interface Step {
  readonly name: string;
  readonly run: (world: World) => Promise<void> | void;
}

const step = <Value>(
  name: string,
  value: fc.Arbitrary<Value>,
  run: (world: World, value: Value) => Promise<void> | void,
) => value.map((drawn): Step => ({ name: `${name}(${JSON.stringify(drawn)})`, run: (world) => run(world, drawn) }));
const nothing = fc.constant(undefined);
const token = fc.constantFrom(...tokens);
const key = fc.constantFrom("token:a1", "token:b1", "grant:a", "token:c1");

const usual = [
  { weight: 6, arbitrary: step("pass", fc.integer({ min: 1, max: 3000 }), (world, ms) => world.pass(ms)) },
  { weight: 2, arbitrary: step("long", fc.integer({ min: 5000, max: 30_000 }), (world, ms) => world.pass(ms)) },
  {
    weight: 8,
    arbitrary: step("ask", fc.tuple(token, fc.constantFrom(0, 0, 30, 400, 499, 900)), (world, [which, delay]) => {
      world.ask(which, delay);
    }),
  },
  { weight: 2, arbitrary: step("revoke", key, (world, which) => world.revoke(which)) },
];
const faults = [
  {
    weight: 2,
    arbitrary: step("delay", fc.constantFrom(0, 20, 200, 1000, 5000, 15_000), (world, ms) => world.setDelay(ms)),
  },
  { weight: 2, arbitrary: step("cut", nothing, (world) => world.cut()) },
  { weight: 1, arbitrary: step("drop", nothing, (world) => world.drop()) },
  { weight: 1, arbitrary: step("duplicate", nothing, (world) => world.duplicate()) },
  { weight: 1, arbitrary: step("reorder", nothing, (world) => world.reorder()) },
  { weight: 1, arbitrary: step("garbage", nothing, (world) => world.garbage()) },
  { weight: 1, arbitrary: step("restore", nothing, (world) => world.restore()) },
  {
    weight: 1,
    arbitrary: step("revoke and restore", key, (world, which) => {
      world.revoke(which, false);
      world.restore();
    }),
  },
  { weight: 1, arbitrary: step("polling", fc.boolean(), (world, on) => world.setPolling(on)) },
  { weight: 1, arbitrary: step("stall", fc.integer({ min: 1, max: 12_000 }), (world, ms) => world.stall(ms)) },
];

/** Plays the steps with every token asked for all along, and sees that the bound held for each acceptance. */
async function play(steps: readonly Step[], rate: number): Promise<World> {
  const world = createStreamingWorld(tokens, rate);
  const askAll = (): void => {
    for (const each of tokens) world.ask(each, 0);
  };
  askAll();
  for (const { run } of steps) {
    await run(world);
    await world.time.settle();
    askAll();
    await world.time.settle();
  }
  for (let n = 0; n < 12; n++) {
    await world.pass(999);
    askAll();
    await world.time.settle();
  }
  await world.close();
  return world;
}

const rate = fc.constantFrom(1, 1.0005, 0.9995);
const long = { timeout: 120_000, interruptAfterTimeLimit: 100_000 };

test("whatever happens, no token is let in later than its bound after its revocation, and nothing is asked for in vain", async (t) => {
  const steps = fc.array(fc.oneof(...usual, ...faults), { minLength: 5, maxLength: 40 });
  let accepted = 0;
  t.timeout(long.timeout);
  await fc.assert(
    fc.asyncProperty(steps, rate, async (drawn, nodeRate) => {
      const world = await play(drawn, nodeRate);
      accepted += world.accepted;
      if (world.violations.length + world.needless.length === 0) return;
      const { violations, needless } = world;
      throw new Error(JSON.stringify({ violations, needless, steps: drawn.map(({ name }) => name) }, null, 1));
    }),
    { numRuns: 500, interruptAfterTimeLimit: long.interruptAfterTimeLimit },
  );
  t.true(accepted > 1000, "the model lets somebody in");
});

test("while the stream is whole, no token is let in later than B after its revocation", async (t) => {
  const steps = fc.array(fc.oneof(...usual), { minLength: 5, maxLength: 30 });
  let inWhole = 0;
  t.timeout(long.timeout);
  await fc.assert(
    fc.asyncProperty(steps, rate, async (drawn, nodeRate) => {
      const begin: Step = { name: "pass(20000)", run: (world) => world.pass(20_000) };
      const world = await play([begin, ...drawn], nodeRate);
      if (world.isWhole(world.time.monotonic)) inWhole += 1;
      if (world.violations.length + world.needless.length === 0) return;
      const { violations, needless } = world;
      throw new Error(JSON.stringify({ violations, needless, steps: drawn.map(({ name }) => name) }, null, 1));
    }),
    { numRuns: 300, interruptAfterTimeLimit: long.interruptAfterTimeLimit },
  );
  t.true(inWhole > 10, "the stream was whole");
});
