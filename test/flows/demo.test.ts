import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { openBrowser } from "../../examples/demo/browser.ts";
import { send } from "../../examples/demo/request.ts";
import { curlOrStandIn } from "../support/curl-or-stand-in.ts";
import { processesThatName } from "../support/processes-that-name.ts";

const demo = fileURLToPath(new URL("../../examples/demo/demo.ts", import.meta.url));

const path = process.env["PATH"] ?? "";

function run(
  t: ExecutionContext,
  options: readonly string[] = [],
  environment: Readonly<Record<string, string>> = { PATH: path },
) {
  const child = spawn(process.execPath, [...process.execArgv, demo, ...options], {
    stdio: ["ignore", "pipe", "pipe"],
    env: environment,
  });
  t.teardown(() => child.kill("SIGKILL"));
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
  return { child, output: () => output };
}

test("8705-3-b: the demo's client uses the certificate of its token request at the API, and all succeeds", async (t) => {
  const { child, output } = run(t);
  const [code] = (await once(child, "close")) as [number];
  t.is(code, 0, output());
  t.regex(output(), /Every step went as told\./);
  t.notRegex(output(), /✗/);
  const steps = output().match(/✓/g) ?? [];
  t.is(steps.length, 24);
  // Client A's right certificate, and three wrong ones, each with the operator's reason.
  t.regex(output(), /GET \S+\/hello {2}\[certificate: client-a\]\n.*\n {3}← 200/);
  t.regex(output(), /the API's log: certificate_mismatch: the token is bound to another certificate/);
  t.regex(output(), /the API's log: certificate_missing/);
  // A user signed in, client A got a code and exchanged it; an old refresh token ended what came of it.
  t.regex(output(), /← 200 <the page "Sign in">[^]*← 200 <the page "Allow access">[^]*← 303\n/);
  t.regex(output(), /grant_type=authorization_code&code=\S+\n {3}← 200 \{"access_token":"/);
  t.regex(output(), /"invalid_grant"[^]*\[certificate: client-a\]\n.*\n {3}← 401[^]*the latest access token has ended/);
});

test("a step with an unexpected result is shown, and the demo's exit code is 1", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "certbound-"));
  t.teardown(() => rm(folder, { recursive: true }));
  // An openssl that computes another digest: what the backend says is then not what openssl says.
  const real = execFileSync("sh", ["-c", "command -v openssl"], { encoding: "utf8" }).trim();
  const standIn = `#!/bin/sh\nif [ "$1" = dgst ]; then printf %032d 0; else exec ${real} "$@"; fi\n`;
  await writeFile(join(folder, "openssl"), standIn, { mode: 0o755 });
  const { child, output } = run(t, [], { PATH: `${folder}:${path}` });
  const [code] = (await once(child, "close")) as [number];
  t.is(code, 1, output());
  t.is(output().match(/✗/g)?.length, 4);
  t.regex(output(), /4 steps did not go as told\./);
});

for (const step of ["Making a small CA", "Starting the backend", "3. Client B"]) {
  test(`interrupted at "${step}" the demo leaves no folder with keys and no server behind`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "certbound-"));
    t.teardown(() => rm(folder, { recursive: true }));
    const { child, output } = run(t, [], { PATH: path, TMPDIR: folder });
    while (!output().includes(step)) await once(child.stdout, "data");
    child.kill("SIGINT");
    const [code] = (await once(child, "close")) as [number];
    t.is(code, 130, output());
    t.deepEqual(await readdir(folder), []);
    t.deepEqual(await processesThatName(folder), []);
  });
}

test("the demo prints no token, secret or key: whatever is long and no thumbprint is cut to six characters", async (t) => {
  const { child, output } = run(t);
  await once(child, "close");
  const thumbprints = new Set([...output().matchAll(/in base64url: (\S+)/g)].map(([, value]) => value));
  t.is(thumbprints.size, 2);
  for (const [long] of output().matchAll(/[A-Za-z0-9_-]{40,}/g)) t.true(thumbprints.has(long), long.slice(0, 6));
  t.notRegex(output(), /-----BEGIN|PRIVATE|wonderland/);
});

test("the demo with --stay keeps its servers up, and its curl lines work until it is stopped", async (t) => {
  const { child, output } = run(t, ["--stay"]);
  while (!output().includes("# end it")) await once(child.stdout, "data");
  const script = output().slice(output().indexOf("# a token for client A"));
  const shell = spawn("bash", ["-c", `${curlOrStandIn}\n${script}`], { stdio: ["ignore", "pipe", "pipe"] });
  let answers = "";
  shell.stdout.setEncoding("utf8").on("data", (text: string) => (answers += text));
  shell.stderr.setEncoding("utf8").on("data", (text: string) => (answers += text));
  await once(shell, "close");
  const statuses = [...answers.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status);
  t.deepEqual(statuses, ["200", "401", "401", "200"], answers);
  child.kill("SIGTERM");
  const [code] = (await once(child, "close")) as [number];
  t.is(code, 0);
});

test("the demo with --stay prints an address where a user signs in, and a bound token is issued", async (t) => {
  const { child, output } = run(t, ["--stay"]);
  while (!output().includes("# end it")) await once(child.stdout, "data");
  const [, website = ""] = /Sign in with a browser: (\S+)/.exec(output()) ?? [];
  const [, authority = ""] = /--cacert (\S+)/.exec(output()) ?? [];
  const browser = openBrowser((call) => send(call, authority));
  const { answer: start } = await browser.open(website);
  const login = await browser.open(start.location ?? "");
  const consent = await login.submit({ username: "alice", password: "wonderland", decision: "login" });
  const { answer: back } = await consent.submit({ decision: "allow" });
  const { answer } = await browser.open(back.location ?? "");
  t.regex(answer.body, /with the certificate: 200 \{&quot;hello/);
  t.regex(answer.body, /the same token without it: 401 /);
  // Somebody else's browser has not begun this sign-in, and neither can it be ended twice.
  t.is((await send({ method: "GET", url: back.location ?? "" }, authority)).status, 400);
  t.is((await browser.open(back.location ?? "")).answer.status, 400);
  child.kill("SIGTERM");
  t.deepEqual(await once(child, "close"), [0, null]);
});
