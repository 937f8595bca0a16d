import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { Socket } from "node:net";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import test from "ava";
import { env, writeConfiguration } from "./a-folder.ts";
import { authorization, secretClients } from "./secret-clients.ts";

test("a backend whose terminal was closed stops, and closes its store", async (t) => {
  const path = await writeConfiguration(t, secretClients({ clients: [1] }));
  const command = fileURLToPath(new URL("../../src/cli/certbound.ts", import.meta.url));
  const line = `exec ${process.execPath} --conditions=certbound-source ${command} serve --config ${path}`;
  // `script` (util-linux) runs it on a terminal of its own. The fourth pipe is closed when the last process has ended.
  const terminal = spawn("script", ["-qfec", line, "/dev/null"], { env, stdio: ["ignore", "pipe", "inherit", "pipe"] });
  t.teardown(() => terminal.kill("SIGKILL"));
  const [, stdout, , held] = terminal.stdio;
  if (stdout === null || !(held instanceof Socket)) throw new Error("the command has no output");
  held.resume();
  const ended = once(held, "close");
  let pid = NaN;
  for await (const text of createInterface({ input: stdout })) {
    // On a terminal the log is text.
    pid = Number(/ pid=(\d+)/.exec(text)?.[1]);
    if (!Number.isNaN(pid)) break;
  }
  t.teardown(() => {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended, as it should.
    }
  });
  t.true((await readdir(dirname(path))).includes("store.db-wal"));
  terminal.kill("SIGKILL");
  await ended;
  const left = await readdir(dirname(path));
  t.deepEqual(left.filter((name) => name.startsWith("store.db")).toSorted(), ["store.db", "store.db-mark"]);
});

const command = fileURLToPath(new URL("../../src/cli/certbound.ts", import.meta.url));
const hostile = "a\u001b[2J\u009b\u202e\r\nINFO  forged";

/** Says hostile things to a served backend until it has ended, and answers its whole log, line by line. */
async function logOf(t: Parameters<typeof writeConfiguration>[0], format: string | undefined): Promise<string[]> {
  const more = format === undefined ? "" : `log: { format: ${format} }\n`;
  const path = await writeConfiguration(t, secretClients({ clients: [1], more }));
  const args = ["--conditions=certbound-source", command, "serve", "--config", path];
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "inherit"] });
  t.teardown(() => child.kill("SIGKILL"));
  const ended = once(child, "close");
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    const [, url] = /listening"?[=:]"?(http[^\s",]+)/.exec(line) ?? [];
    if (url === undefined) continue;
    const form = { grant_type: "client_credentials", client_id: hostile, client_secret: "MARKER" };
    const answer = await fetch(`${url}/api/auth/token`, {
      method: "POST",
      headers: { authorization, "content-type": "application/json", "x-forwarded-for": "203.0.113.7" },
      body: JSON.stringify({ parameters: new URLSearchParams(form).toString() }),
    });
    t.is(((await answer.json()) as { action: string }).action, "INVALID_CLIENT");
    await fetch(`${url}/api/%1b%5b2J`);
    child.kill("SIGTERM");
  }
  await ended;
  return lines;
}

const time = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z (?:INFO |WARN |ERROR) /;

test("a served backend whose log.format is text writes lines of text, of printable ASCII alone", async (t) => {
  const lines = await logOf(t, "text");
  for (const line of lines) {
    t.true(/^[\x20-\x7e]+$/.test(line), JSON.stringify(line));
    t.regex(line, time);
    t.false(line.includes("MARKER"));
  }
  const refusals = lines.filter((line) => line.includes("INVALID_CLIENT"));
  t.is(refusals.length, 1);
  t.regex(refusals[0] ?? "", / WARN {2}request /);
  t.regex(refusals[0] ?? "", / action=INVALID_CLIENT(?: |$)/);
  t.regex(refusals[0] ?? "", / clientAddress=203\.0\.113\.7(?: |$)/);
});

for (const format of ["json", "auto", undefined] as const) {
  test(`a served backend whose log.format is ${format ?? "not set"} writes JSON into a pipe`, async (t) => {
    const lines = (await logOf(t, format)).map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    const refusals = lines.filter(({ action }) => action === "INVALID_CLIENT");
    t.is(refusals.length, 1);
    t.like(refusals[0], { level: "warn", msg: "request", clientAddress: "203.0.113.7" });
  });
}
