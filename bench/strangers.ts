import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createAuthority } from "../test/support/certificates.ts";
import type { Bench } from "./bench.ts";
import { benchToken, createDeployment, removeDeployment, type Deployment } from "./deployment.ts";
import { startPinned } from "./measurement/pinned-process.ts";
import { printTable } from "./measurement/print.ts";
import { startServer } from "./measurement/server.ts";
import { quantile } from "./staleness/quantile.ts";
import { forgePaths, type Forgery } from "./strangers/forged-paths.ts";
import type { StrangersOrder } from "./strangers/strangers-process.ts";
import { apiCall, tokenCall } from "./strangers/token-call.ts";

const strangers = 12;
const attacked = 3000;
const bystander = 3001;
/** Milliseconds between two introspections, and between two first tokens. */
const pace = { introspection: 10, token: 250 };

interface Figures {
  readonly introspections: readonly number[];
  /** For the client whose name the strangers use, and for another one. */
  readonly attacked: readonly number[];
  readonly bystander: readonly number[];
}

/**
 * The effect of strangers without credentials on others: 12 of them send certificates with a client's subject and ten
 * more beside, shuffled for each request.
 *
 * Measures introspection at a steady pace, and first tokens with certificates that the backend has not seen before: for
 * the client that the strangers pretend to be, and for another one. Ratios are to the same without strangers.
 */
export const strangersBench: Bench = async ({ timing, profileInto }) => {
  const authority = createAuthority({ subject: "CN=Bench CA" });
  const subjects = new Map([attacked, bystander].map((clientId) => [clientId, `CN=client-${clientId}`]));
  const made = await createDeployment(1000);
  const anchor = authority.certificate.pem;
  const pathClients = [...subjects].map(([clientId, subject]) => ({ clientId, subject, anchor }));
  const deployment: Deployment = { ...made, pathClients };
  const issue = (clientId: number) => authority.issue({ subject: subjects.get(clientId) ?? "" }).pem;
  const rows: (readonly [string, Figures])[] = [];
  try {
    for (const forgery of [undefined, "slow keys", "look-alikes"] as const) {
      const server = await startServer("backend", deployment, profileInto);
      const crowd = forgery === undefined ? undefined : await startStrangers(server.port, forgery, authority, subjects);
      try {
        await measure(server.port, issue, timing.preRun);
        const seconds = timing.seconds * timing.rounds;
        rows.push([forgery ?? "without strangers", await measure(server.port, issue, seconds)]);
      } finally {
        await crowd?.stop();
        await server.stop();
      }
    }
  } finally {
    await removeDeployment(made);
  }
  print(rows);
};

async function startStrangers(
  port: number,
  forgery: Forgery,
  { certificate }: ReturnType<typeof createAuthority>,
  subjects: ReadonlyMap<number, string>,
) {
  const paths = forgePaths(forgery, certificate, subjects.get(attacked) ?? "");
  const order: StrangersOrder = { port, clientId: attacked, paths, strangers };
  const crowd = startPinned(fileURLToPath(new URL("strangers/strangers-process.ts", import.meta.url)), {
    processor: 1,
  });
  await crowd.started;
  await crowd.ask(order);
  return crowd;
}

/** Sends at a fixed pace, whether or not the last response has arrived. Waiting for it would hide the delay. */
async function measure(port: number, issue: (clientId: number) => string, seconds: number): Promise<Figures> {
  const figures = { introspections: [] as number[], attacked: [] as number[], bystander: [] as number[] };
  const open: Promise<void>[] = [];
  const time = (into: number[], call: () => Promise<{ readonly action: string | undefined }>): void => {
    const begin = performance.now();
    const timed = async () => {
      // Busy (503): the client retries, and its wait continues.
      let { action } = await call();
      for (; action === undefined; { action } = await call()) await pause(100);
      if (action !== "OK") throw new Error(`an honest caller was answered ${action}`);
      into.push(performance.now() - begin);
    };
    open.push(timed());
  };
  const end = performance.now() + seconds * 1000;
  const introspection = { parameters: `token=${benchToken(1)}` };
  let nextToken = performance.now();
  while (performance.now() < end) {
    time(figures.introspections, () => apiCall(port, "/auth/introspection/standard", introspection));
    if (performance.now() >= nextToken) {
      nextToken += pace.token;
      for (const [clientId, into] of [
        [attacked, figures.attacked],
        [bystander, figures.bystander],
      ] as const) {
        const path = { leaf: issue(clientId), intermediates: [] };
        time(into, () => tokenCall(port, clientId, path));
      }
    }
    await pause(pace.introspection);
  }
  await Promise.all(open);
  return figures;
}

function print(rows: readonly (readonly [string, Figures])[]): void {
  const [, base] = rows[0] ?? [];
  const cells = (of: (figures: Figures) => number, figures: Figures): string[] => {
    const value = of(figures);
    return [value.toFixed(1), (value / (base === undefined ? Number.NaN : of(base))).toFixed(2)];
  };
  printTable(
    `Strangers: ${strangers}, ten requests a second each at most; milliseconds`,
    [
      "",
      "introspection p99",
      "ratio",
      "first token p50",
      "ratio",
      "p99",
      "ratio",
      "another's p50",
      "ratio",
      "p99",
      "ratio",
    ],
    rows.map(([name, figures]) => [
      name,
      ...cells(({ introspections }) => quantileOf(introspections, 0.99), figures),
      ...[0.5, 0.99].flatMap((share) => cells((of) => quantileOf(of.attacked, share), figures)),
      ...[0.5, 0.99].flatMap((share) => cells((of) => quantileOf(of.bystander, share), figures)),
    ]),
  );
}

function quantileOf(values: readonly number[], share: number): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    share,
  );
}
