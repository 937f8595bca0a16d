import { readdir } from "node:fs/promises";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Socket } from "node:net";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import test from "ava";
import { env, writeConfiguration } from "./a-folder.ts";
import { secretClients } from "./secret-clients.ts";

test("a backend whose terminal is gone stops, and closes its store", async (t) => {
  const path = await writeConfiguration(t, secretClients({ clients: [1], more: "log: { format: json }\n" }));
  const command = fileURLToPath(new URL("../../src/cli/certbound.ts", import.meta.url));
  const line = `exec ${process.execPath} --conditions=certbound-source ${command} serve --config ${path}`;
  // `script` (util-linux) runs it on a terminal of its own. The fourth pipe is closed when the last process has ended.
  const terminal = spawn("script", ["-qfec", line, "/dev/null"], { env, stdio: ["ignore", "pipe", "inherit", "pipe"] });
  t.teardown(() => terminal.kill("SIGKILL"));
  const [, stdout, , held] = terminal.stdio;
  if (stdout === null || !(held instanceof Socket)) throw new Error("the command has no output");
  held.resume();
  const ended = once(held, "close");
  let pid: unknown;
  for await (const text of createInterface({ input: stdout })) {
    ({ pid } = JSON.parse(text) as { pid?: unknown });
    if (typeof pid === "number") break;
  }
  t.teardown(() => {
    try {
      process.kill(pid as number, "SIGKILL");
    } catch {
      // It has ended, as it should.
    }
  });
  t.true((await readdir(dirname(path))).includes("store.db-wal"));
  terminal.kill("SIGKILL");
  await ended;
  const left = await readdir(dirname(path));
  t.deepEqual(
    left.filter((name) => name.startsWith("store.db")),
    ["store.db", "store.db-mark"],
  );
});
