/**
 * Speed, side by side: `npm run bench`, or `npm run bench -- --rounds 5 introspection issuing`.
 *
 * Compare only the ratios of one run, with 15 % for noise. Never a test.
 */
import { mkdir } from "node:fs/promises";
import { parseArgs } from "node:util";
import { authorize } from "./authorize.ts";
import type { Bench } from "./bench.ts";
import { createDeployment, removeDeployment } from "./deployment.ts";
import { httpLayer } from "./http-layer.ts";
import { introspection } from "./introspection.ts";
import { issuing } from "./issuing.ts";
import { startLoad } from "./measurement/load.ts";
import { describeMachine } from "./measurement/print.ts";
import { strangersBench } from "./strangers.ts";

const benches: Readonly<Record<string, Bench>> = {
  introspection,
  issuing,
  authorize,
  "http-layer": httpLayer,
  strangers: strangersBench,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "3" },
    "warm-up": { type: "string", default: "8" },
    "pre-run": { type: "string", default: "2" },
    tokens: { type: "string", default: "200000" },
    /** A folder for processor profiles of the backend. */
    "cpu-prof": { type: "string" },
  },
});
const names = positionals.length === 0 ? Object.keys(benches) : positionals;
const unknown = names.find((name) => !(name in benches));
if (unknown !== undefined) throw new TypeError(`no bench is called ${unknown}: ${Object.keys(benches).join(", ")}`);

const profileInto = values["cpu-prof"];
if (profileInto !== undefined) await mkdir(profileInto, { recursive: true });
console.log(describeMachine());
const load = await startLoad();
const deployment = await createDeployment(Number(values.tokens));
const timing = {
  rounds: Number(values.rounds),
  seconds: Number(values.seconds),
  warmUp: Number(values["warm-up"]),
  preRun: Number(values["pre-run"]),
};
try {
  for (const name of names) await benches[name]?.({ load, deployment, timing, profileInto });
} finally {
  await load.stop();
  await removeDeployment(deployment);
}
console.log(`\n${describeMachine()}`);
