import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { basename } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { openBrowser } from "../examples/demo/browser.ts";
import { send } from "../examples/demo/request.ts";
import { curlOrStandIn } from "./support/curl-or-stand-in.ts";
import { processesThatName } from "./support/processes-that-name.ts";

// README's walk, block by block, as it is printed. What is changed: the folder `try` gets a name of its own, so that a
// reader's folder is not touched, and the ports are free ones.

const root = new URL("../", import.meta.url);
const ports = ["8705", "8443", "9443", "9444", "8080"];

interface Block {
  readonly language: string;
  readonly text: string;
  /** The paragraph before it. */
  readonly before: string;
}

function blocksOf(text: string): Block[] {
  return [...text.matchAll(/([^\n]*)\n+```(\w+)\n(.*?)^```$/gms)].map(([, before = "", language = "", block = ""]) => ({
    before,
    language,
    text: block,
  }));
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return String(port);
}

/** A `…` in what README prints stands for any text. */
function matches(printed: string, expected: string): boolean {
  const parts = expected.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("[^]*")}$`).test(printed);
}

/** One shell that stays, as a reader's terminal does. */
function openShell(t: ExecutionContext) {
  const shell = spawn("bash", ["-s"], { cwd: fileURLToPath(root), stdio: ["pipe", "pipe", "inherit"], detached: true });
  // What the shell has started is of its group.
  t.teardown(() => shell.pid !== undefined && process.kill(-shell.pid, "SIGKILL"));
  const lines = createInterface({ input: shell.stdout })[Symbol.asyncIterator]();
  const mark = "--- end of block";
  shell.stdin.write(`${curlOrStandIn}\n`);
  return async (commands: string): Promise<{ printed: string; status: string }> => {
    shell.stdin.write(`${commands}\nstatus=$?; echo; echo "${mark} $status"\n`);
    const printed: string[] = [];
    for (;;) {
      const next = await lines.next();
      if (next.done === true) return { printed: printed.join("\n"), status: "the shell ended" };
      if (next.value.startsWith(mark)) {
        return { printed: printed.join("\n").trim(), status: next.value.slice(mark.length + 1) };
      }
      printed.push(next.value);
    }
  };
}

test("README's walk works as printed, from the keys to the sign-in, and leaves no process behind", async (t) => {
  const folder = await mkdtemp(fileURLToPath(new URL("test/readme-", root)));
  t.teardown(() => rm(folder, { recursive: true }));
  const name = `test/${basename(folder)}`;
  const free = new Map<string, string>();
  for (const port of ports) free.set(port, await freePort());
  const here = (text: string): string =>
    text.replace(/\btry\b/g, name).replace(new RegExp(ports.join("|"), "g"), (port) => free.get(port) ?? port);

  const readme = await readFile(new URL("README.md", root), "utf8");
  const [, walk = ""] = /^## Step by step\n(.*?)^## /ms.exec(readme) ?? [];
  const blocks = blocksOf(walk);
  t.deepEqual(new Set(blocks.map(({ language }) => language)), new Set(["sh", "text", "ts"]));
  const run = openShell(t);
  let last = "";
  for (const { language, text, before } of blocks) {
    if (language === "text") {
      t.true(matches(last, here(text).trim()), `README prints:\n${here(text)}\nwhat came:\n${last}`);
    } else if (language === "ts") {
      const [, path = ""] = /Save this as `try\/([\w.-]+)`:$/.exec(before) ?? [];
      await writeFile(new URL(`${name}/${path}`, root), here(text));
    } else {
      const { printed, status } = await run(here(text));
      t.is(status, "0", `${text}\n${printed}`);
      last = printed;
    }
  }

  // Step 7: what the reader does with the browser.
  const browser = openBrowser((call) => send(call, `${folder}/server.pem`));
  const { answer: start } = await browser.open(`http://127.0.0.1:${free.get("8080") ?? ""}/`);
  const login = await browser.open(start.location ?? "");
  const consent = await login.submit({ username: "alice", password: "wonderland", decision: "login" });
  const { answer: back } = await consent.submit({ decision: "allow" });
  const { answer } = await browser.open(back.location ?? "");
  t.regex(answer.body, /with the certificate: 200 Hello, client 1\n/);
  t.regex(answer.body, /the same token without it: 401 Bearer error=&quot;invalid_token&quot;/);

  // Step 8.
  await run("kill $(jobs -p)\nwait");
  t.deepEqual(await processesThatName(name), []);
});

test("README's walk names no port, folder or secret that its test does not know", async (t) => {
  const readme = await readFile(new URL("README.md", root), "utf8");
  const [, walk = ""] = /^## Step by step\n(.*?)^## /ms.exec(readme) ?? [];
  const named = new Set([...walk.matchAll(/(?:127\.0\.0\.1:|PORT=|port: |listen\()(\d+)/g)].map(([, port]) => port));
  t.deepEqual([...named].sort(), [...ports].sort());
});
