/**
 * How long a revoked token is still accepted: `npm run staleness`, or `npm run staleness -- --revocations 50 --apis 4`.
 *
 * It runs real processes: a backend, APIs under load, the load, and between backend and APIs a proxy that can silence
 * the streams of events. It writes the plot to docs/staleness.svg. Copy the figures to docs/staleness.md yourself.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createApiClient } from "../src/api-client/index.ts";
import { createSelfSigned } from "../test/support/certificates.ts";
import { serviceAccessToken, serviceId } from "../test/support/settings.ts";
import { startPinned } from "./measurement/pinned-process.ts";
import { describeMachine } from "./measurement/print.ts";
import { causes } from "./staleness/causes.ts";
import { measure, type Measured, type Scenario } from "./staleness/measure.ts";
import { plot } from "./staleness/plot.ts";
import { quantile } from "./staleness/quantile.ts";

const { values } = parseArgs({
  options: {
    revocations: { type: "string", default: "500" },
    apis: { type: "string", default: "8" },
    /** The file of the plot; empty for none. */
    plot: { type: "string", default: fileURLToPath(new URL("../docs/staleness.svg", import.meta.url)) },
  },
});

/** The library's defaults, in milliseconds: L, S and T of docs/staleness.md. */
const lease = 1000;
const ttl = 10_000;
const timeout = 2000;

const whole = {
  cache: { push: true },
  cut: false,
  bound: Math.max(lease, timeout),
  atATime: 8,
  livesUpTo: 1000,
} as const;
const revocation = "revocation";

/** The plot shows the first scenario of each way to run APIs. */
const scenarios: readonly Scenario[] = [
  { name: "stream whole", cause: revocation, ...whole },
  { name: "the same, refresh token used again", cause: "refresh token used again", ...whole },
  { name: "the same, code redeemed again", cause: "code redeemed again", ...whole },
  {
    name: "stream cut",
    cause: revocation,
    cache: { push: true },
    cut: true,
    bound: Math.max(ttl, timeout),
    atATime: 100,
    livesUpTo: ttl,
  },
  {
    name: "TTL 10 s",
    cause: revocation,
    cache: { push: false },
    cut: false,
    bound: Math.max(ttl, timeout),
    atATime: 100,
    livesUpTo: ttl,
  },
  {
    name: "TTL 1 s",
    cause: revocation,
    cache: { push: false, ttl: 1 },
    cut: false,
    bound: Math.max(1000, timeout),
    atATime: 25,
    livesUpTo: 2000,
  },
];

const client = createSelfSigned({ subject: "CN=client" });

function describe({ scenario, staleness, requests, unavailable, questions, seconds }: Measured): string {
  const [p50, p99, max] = [0.5, 0.99, 1].map((share) => `${Math.round(quantile(staleness, share))}`);
  const load = `${Math.round(requests / seconds)} | ${Math.round(questions / seconds)} | ${unavailable}`;
  return `| ${scenario.name} | ${staleness.length} | ${p50} | ${p99} | ${max} | ${scenario.bound} | ${load} |`;
}

const directory = await mkdtemp(join(tmpdir(), "certbound-staleness-"));
const backendFile = fileURLToPath(new URL("staleness/backend-process.ts", import.meta.url));
const backendProcess = startPinned(backendFile, { processor: 0, argument: { database: join(directory, "store.db") } });
try {
  const backendPort = (await backendProcess.started) as number;
  const backend = createApiClient({
    baseUrl: `http://127.0.0.1:${backendPort}`,
    serviceId,
    credentials: { accessToken: serviceAccessToken },
  });
  console.log(describeMachine());
  console.log(
    `${values.apis} APIs; times in milliseconds after the acknowledgement; L ${lease}, S ${ttl}, T ${timeout}\n`,
  );
  console.log("| | revocations | p50 | p99 | max | bound | requests/s | questions/s | 503 |");
  console.log("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
  const measured: Measured[] = [];
  for (const scenario of scenarios) {
    const tokens = [];
    for (let count = 0; count < Number(values.revocations); count++) {
      tokens.push(await causes[scenario.cause](backend, client.pem));
    }
    const setting = { apis: Number(values.apis), timeout, backendPort, client, draw: Math.random };
    const one = await measure(scenario, tokens, setting);
    measured.push(one);
    console.log(describe(one));
  }
  await backend.close();
  if (values.plot !== "") {
    await writeFile(values.plot, plot(measured.filter(({ scenario }) => scenario.cause === revocation)));
  }
  const late = measured.filter(({ scenario, staleness }) => quantile(staleness, 1) > scenario.bound);
  if (late.length > 0) {
    console.error(`\nAccepted after the bound: ${late.map(({ scenario }) => scenario.name).join(", ")}`);
    process.exitCode = 1;
  }
} finally {
  await backendProcess.stop();
  await rm(directory, { recursive: true });
}
