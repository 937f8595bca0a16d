import { readFileSync } from "node:fs";
import test, { type ExecutionContext } from "ava";
import { env, writeConfiguration } from "./a-folder.ts";
import { beginRequest } from "./request-under-way.ts";
import { startCommand } from "./run-certbound.ts";
import { secretClients } from "./secret-clients.ts";

const { scripts } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  scripts: Readonly<Record<string, string>>;
};

test("every script with a long-running program replaces the shell by that program", (t) => {
  for (const name of ["demo", "certbound", "bench", "staleness"]) {
    t.regex(scripts[name] ?? "", /^node tools\/check-ground\.mjs && exec node [^&|;]+$/, name);
  }
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The process that started this one. */
const parentOf = (pid: number): number =>
  Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);

async function startThroughNpm(t: ExecutionContext) {
  const path = await writeConfiguration(t, secretClients({ clients: [1] }));
  const script = ["run", "--silent", "certbound", "--", "serve", "--config", path];
  const npm = startCommand(t, "npm", script, { ...process.env, ...env });
  const { listening, pid } = await npm.line(({ msg }) => msg === "listening");
  t.teardown(() => isRunning(pid as number) && process.kill(pid as number, "SIGKILL"));
  return { npm, url: listening as string, pid: pid as number };
}

test("SIGTERM to npm run certbound stops the backend with a drain, and leaves no process behind", async (t) => {
  const { npm, url, pid } = await startThroughNpm(t);
  t.true(isRunning(pid));
  const request = await beginRequest(url);
  npm.kill("SIGTERM");
  await npm.line(({ msg }) => msg === "stopping");
  t.regex(await request.finish(), /^HTTP\/1\.1 200 [^]*connection: close/i);
  // Both pipes close when the last process that holds them has ended.
  const { stdout } = await npm.ended();
  t.regex(stdout, /"msg":"stopped"/);
  t.false(isRunning(pid));
});

test("SIGHUP to the process in the listening line reloads; npm runs it without a shell in between", async (t) => {
  const { npm, pid } = await startThroughNpm(t);
  t.regex(readFileSync(`/proc/${parentOf(pid)}/cmdline`, "utf8"), /^(?!sh\0|\/bin\/sh\0)[^]*npm/);
  process.kill(pid, "SIGHUP");
  t.deepEqual((await npm.line(({ msg }) => msg === "reloaded"))["changes"], []);
  npm.kill("SIGTERM");
  await npm.ended();
  t.false(isRunning(pid));
});
