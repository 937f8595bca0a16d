import { fileURLToPath } from "node:url";
import type { AuthorizeArgument, AuthorizeOrder, AuthorizeReading } from "./authorize-process.ts";
import type { Bench } from "./bench.ts";
import { spreadOf } from "./measurement/compare.ts";
import { startPinned } from "./measurement/pinned-process.ts";
import { printTable, range } from "./measurement/print.ts";
import { startServer } from "./measurement/server.ts";

/** The measured variants, in order; the first is the base of the ratios. */
const warm = ["digest and map", "warm, library", "warm, backend"] as const satisfies readonly AuthorizeOrder["what"][];
const cold = ["node:http", "cold, library", "cold, backend"] as const satisfies readonly AuthorizeOrder["what"][];
const manyAtATime = 32;

/** The cost of `authorize()` to an API: from the cache, compared with one digest and one look-up, and from the backend. */
export const authorize: Bench = async ({ deployment, timing }) => {
  const backend = await startServer("backend", deployment);
  const file = fileURLToPath(new URL("authorize-process.ts", import.meta.url));
  const argument: AuthorizeArgument = { deployment, port: backend.port };
  const api = startPinned(file, { processor: 1, argument });
  const measure = (order: AuthorizeOrder): Promise<AuthorizeReading> => api.ask(order) as Promise<AuthorizeReading>;
  try {
    await api.started;
    for (const [title, contenders, atATime] of [
      ["authorize() from memory, in process", warm, 1],
      ["authorize() asking over loopback, one at a time", cold, 1],
      [`authorize() asking over loopback, ${manyAtATime} at a time`, cold, manyAtATime],
    ] as const) {
      for (const what of contenders) await measure({ what, atATime, milliseconds: 2000 });
      const readings: ReadonlyMap<string, AuthorizeReading>[] = [];
      for (let round = 0; round < timing.rounds * 2 + 1; round++) {
        const one = new Map<string, AuthorizeReading>();
        for (const what of round % 2 === 0 ? contenders : contenders.toReversed()) {
          one.set(what, await measure({ what, atATime, milliseconds: 500 }));
        }
        readings.push(one);
      }
      printTable(
        title,
        ["", "µs a call", "ratio", "µs of its CPU", "calls/s"],
        contenders.map((what) => {
          const own = readings.flatMap((round) => round.get(what) ?? []);
          const of = (value: (reading: AuthorizeReading) => number) => spreadOf(own.map(value));
          const ratios = own.map(
            ({ elapsed }, round) => elapsed / (readings[round]?.get(contenders[0])?.elapsed ?? NaN),
          );
          return [
            what,
            range(
              of(({ elapsed }) => elapsed),
              2,
            ),
            range(spreadOf(ratios), 2),
            of(({ processor }) => processor).median.toFixed(2),
            of(({ perSecond }) => perSecond).median.toFixed(0),
          ];
        }),
      );
    }
  } finally {
    await api.stop();
    await backend.stop();
  }
};
