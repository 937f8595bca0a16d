import { spawnSync } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";

const script = fileURLToPath(new URL("../../tools/check-ground.mjs", import.meta.url));
/** What a Node runs before the script to pass for one of another version. */
const asNode = (version: string): string =>
  `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } })`;

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A Node on PATH that is too old, beside the one that runs this; not every machine has one. */
const olderNode = (process.env["PATH"] ?? "")
  .split(delimiter)
  .filter((folder) => folder !== "" && !folder.includes("node_modules"))
  .map((folder) => join(folder, "node"))
  .find((node) => {
    const { status, stdout } = spawnSync(node, ["--version"], { encoding: "utf8" });
    return status === 0 && /^v(1\d|2[0-3])\./.test(stdout);
  });

function checkGround(path: string, version?: string): Outcome {
  const preload =
    version === undefined ? [] : ["--import", `data:text/javascript,${encodeURIComponent(asNode(version))}`];
  return spawnSync(process.execPath, [...preload, script], { encoding: "utf8", env: { PATH: path } });
}

/** A folder to be PATH, with this shell script in it as `openssl`. */
async function folderWith(t: ExecutionContext, openssl?: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "certbound-"));
  t.teardown(() => rm(folder, { recursive: true }));
  if (openssl === undefined) return folder;
  const file = join(folder, "openssl");
  await writeFile(file, `#!/bin/sh\n${openssl}\n`);
  await chmod(file, 0o700);
  return folder;
}

/** Exit code 1, nothing on standard output, and one line that says this. */
function assertMissing(t: ExecutionContext, { status, stdout, stderr }: Outcome, ...words: readonly RegExp[]): void {
  t.is(status, 1);
  t.is(stdout, "");
  t.regex(stderr, /^certbound: [^\n]+\.\n$/);
  for (const word of words) t.regex(stderr, word);
}

test("on a complete machine the check prints nothing and ends with 0", (t) => {
  const { status, stdout, stderr } = checkGround(process.env["PATH"] ?? "");
  t.deepEqual({ status, stdout, stderr }, { status: 0, stdout: "", stderr: "" });
});

test("without openssl on PATH one line says so, and how to install it", async (t) => {
  assertMissing(t, checkGround(await folderWith(t)), /"openssl"/, /apt-get install openssl/);
});

test("an openssl that cannot run counts as missing", async (t) => {
  assertMissing(t, checkGround(await folderWith(t, "exit 127")), /"openssl"/);
});

for (const line of [
  "OpenSSL 1.1.1w  11 Sep 2023",
  "OpenSSL 2.9.9 1 Jan 2020",
  "OpenSSL 0.9.8zh 3 Dec 2015",
  "LibreSSL 3.8.2",
  "BoringSSL",
]) {
  test(`"${line}" is refused in one line that quotes it`, async (t) => {
    const outcome = checkGround(await folderWith(t, `echo '${line}'`));
    assertMissing(t, outcome, /OpenSSL 3\.0 or newer is needed/, new RegExp(`"${line.replaceAll(".", "\\.")}"`));
  });
}

for (const line of [
  "OpenSSL 3.0.17 1 Jul 2025 (Library: OpenSSL 3.0.17 1 Jul 2025)",
  "OpenSSL 4.0.0",
  "OpenSSL 10.1.0",
]) {
  test(`"${line}" is enough`, async (t) => {
    const { status, stderr } = checkGround(await folderWith(t, `echo '${line}'`));
    t.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  });
}

for (const version of ["20.20.2", "22.12.0", "23.11.0", "9.0.0"]) {
  test(`Node ${version} is refused in one line that names it and what to do, before openssl is looked for`, async (t) => {
    const outcome = checkGround(await folderWith(t), version);
    assertMissing(t, outcome, new RegExp(`Node ${version.replaceAll(".", "\\.")} `), /Node 24/, /npm ci/);
    t.notRegex(outcome.stderr, /openssl/i);
  });
}

if (olderNode !== undefined) {
  test(`${olderNode}, an older Node for real, gets as far as the one line`, async (t) => {
    const outcome = spawnSync(olderNode, [script], { encoding: "utf8", env: { PATH: await folderWith(t) } });
    assertMissing(t, outcome, /^certbound: Node \d+\.\d+\.\d+ is running/, /Node 24/);
  });
}

for (const version of ["24.0.0", "26.1.0", "100.0.0"]) {
  test(`Node ${version} is enough`, (t) => {
    t.is(checkGround(process.env["PATH"] ?? "", version).status, 0);
  });
}
