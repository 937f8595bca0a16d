import test from "ava";
import fc from "fast-check";
import { createStreamingWorld } from "./streaming-world.ts";

const tokens = ["a1", "a2", "b1", "b2", "c1", "d1", "e1", "f1"];
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
const key = fc.constantFrom(...tokens.map((each) => `token:${each}`), "grant:a", "grant:b");
const answersAfter = fc.constantFrom(0, 0, 30, 400, 1900, 3500);

const usual = [
  { weight: 6, arbitrary: step("pass", fc.integer({ min: 1, max: 1500 }), (world, ms) => world.pass(ms)) },
  { weight: 2, arbitrary: step("long", fc.integer({ min: 3000, max: 35_000 }), (world, ms) => world.pass(ms)) },
  {
    weight: 6,
    arbitrary: step("ask", fc.tuple(token, answersAfter), (world, [which, after]) => {
      world.ask(which, after);
    }),
  },
  {
    weight: 3,
    arbitrary: step("ask all", nothing, (world) => {
      for (const each of tokens) world.ask(each, 0);
    }),
  },
  {
    weight: 4,
    arbitrary: step("revoke", key, (world, which) => {
      world.revoke(which);
    }),
  },
  {
    // A revocation while answers are on their way, and requests that keep coming.
    weight: 4,
    arbitrary: step(
      "race",
      fc.tuple(token, answersAfter, fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 1500 })),
      async (world, [which, after, before, behind]) => {
        world.ask(which, after);
        await world.pass(before);
        world.revoke(`token:${which}`);
        for (let n = 0; n < 4; n++) {
          world.ask(which, after);
          await world.pass(behind);
        }
      },
    ),
  },
];
const faults = [
  {
    weight: 2,
    arbitrary: step("delay", fc.constantFrom(0, 20, 200, 1000, 5000, 8000), (world, ms) => {
      world.setDelay(ms);
    }),
  },
  {
    weight: 2,
    arbitrary: step("cut", nothing, (world) => {
      world.cut();
    }),
  },
  {
    weight: 3,
    arbitrary: step("spoil", fc.constantFrom("lost", "doubled", "late"), (world, how) => {
      world.spoil(how);
    }),
  },
  {
    weight: 1,
    arbitrary: step("garbage", nothing, (world) => {
      world.garbage();
    }),
  },
  {
    weight: 1,
    arbitrary: step("restore", nothing, (world) => {
      world.restore();
    }),
  },
  {
    weight: 1,
    arbitrary: step("revoke and restore", key, (world, which) => {
      world.revoke(which, false);
      world.restore();
    }),
  },
  {
    weight: 1,
    arbitrary: step("polling", fc.boolean(), (world, on) => {
      world.setPolling(on);
    }),
  },
  {
    weight: 1,
    arbitrary: step("stall", fc.integer({ min: 1, max: 12_000 }), (world, ms) => {
      world.stall(ms);
    }),
  },
];

/** Plays the steps, and then asks for every token again and again. */
async function play(steps: readonly Step[], rate: number): Promise<World> {
  const world = createStreamingWorld(tokens, rate);
  const askAll = (): void => {
    for (const each of tokens) world.ask(each, 0);
  };
  for (const { run } of steps) {
    await run(world);
    await world.time.settle();
  }
  for (let n = 0; n < 15; n++) {
    await world.pass(499);
    askAll();
    await world.time.settle();
  }
  await world.close();
  return world;
}

function told({ violations, needless }: World, steps: readonly Step[]): string {
  return JSON.stringify({ violations, needless, steps: steps.map(({ name }) => name) });
}

const rate = fc.constantFrom(1, 1.0005, 0.9995);
const long = { interruptAfterTimeLimit: 100_000, includeErrorInReport: true } as const;

test("after a revocation no token and no signal outlives its bound, and no request is needless", async (t) => {
  const steps = fc.array(fc.oneof(...usual, ...faults), { minLength: 5, maxLength: 40 });
  let accepted = 0;
  t.timeout(120_000);
  await fc.assert(
    fc.asyncProperty(steps, rate, async (drawn, nodeRate) => {
      const world = await play(drawn, nodeRate);
      accepted += world.accepted;
      if (world.violations.length + world.needless.length === 0) return;
      throw new Error(told(world, drawn));
    }),
    { ...long, numRuns: 500 },
  );
  t.true(accepted > 1000, "the model lets somebody in");
});

test("while the stream is whole, no token is accepted later than B after its revocation", async (t) => {
  const steps = fc.array(fc.oneof(...usual), { minLength: 5, maxLength: 30 });
  let inWhole = 0;
  t.timeout(120_000);
  await fc.assert(
    fc.asyncProperty(steps, rate, async (drawn, nodeRate) => {
      const begin: Step = {
        name: "begin",
        run: (world) => {
          world.ask("a1", 0);
          return world.pass(20_000);
        },
      };
      const world = await play([begin, ...drawn], nodeRate);
      if (world.isWhole(world.time.monotonic)) inWhole += 1;
      if (world.violations.length + world.needless.length === 0) return;
      throw new Error(told(world, drawn));
    }),
    { ...long, numRuns: 300 },
  );
  t.true(inWhole > 10, "the stream was whole");
});
