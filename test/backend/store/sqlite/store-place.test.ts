import { chmod, chown, cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { defectOfStorePlace } from "../../../../src/backend/store/sqlite/store-place.ts";
import { startChild } from "./child-process.ts";
import { temporaryFile } from "./temporary-file.ts";

test("a folder that is there, with the file or without it, is accepted", async (t) => {
  const path = await temporaryFile(t);
  t.is(defectOfStorePlace(path), undefined);
  await writeFile(path, "");
  t.is(defectOfStorePlace(path), undefined);
});

test("a folder that is missing, or is a file, and a folder in the file's place are named", async (t) => {
  const path = await temporaryFile(t);
  await writeFile(path, "");
  const missing = join(dirname(path), "missing", "store.db");
  t.is(defectOfStorePlace(missing), `has no folder: ${dirname(missing)} does not exist; make it first`);
  t.is(defectOfStorePlace(join(path, "store.db")), `has no folder: ${path} is a file`);
  const folder = join(dirname(path), "folder");
  await mkdir(folder);
  t.is(defectOfStorePlace(folder), `is not a file: ${folder}`);
});

const nobody = 65534;
const program = `
import { defectOfStorePlace } from "./store-place.ts";
if (process.getuid() === 0) {
  process.setgroups([]);
  process.setgid(${nobody});
  process.setuid(${nobody});
}
for (const path of process.argv.slice(2)) console.log(defectOfStorePlace(path) ?? "");
`;

/** The check where anyone may read it, run by a process that may not override file modes. */
async function sentencesAsNobody(t: ExecutionContext, ...paths: readonly string[]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "certbound-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await cp(
    new URL("../../../../src/backend/store/sqlite/store-place.ts", import.meta.url),
    join(folder, "store-place.ts"),
  );
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  await writeFile(join(folder, "check.ts"), program);
  await chmod(folder, 0o755);
  const child = startChild(t, join(folder, "check.ts"), paths);
  const lines = await child.rest();
  await child.done();
  return lines;
}

test("a folder and a file that this user may not write to are named", async (t) => {
  const path = await temporaryFile(t);
  const other = join(dirname(path), "other.db");
  for (const file of [path, other]) await writeFile(file, "");
  if (process.getuid?.() === 0) for (const one of [dirname(path), path, other]) await chown(one, nobody, nobody);
  await chmod(other, 0o444);
  t.deepEqual(await sentencesAsNobody(t, path, other), [
    "",
    `is a file that this user may not read and write: ${other}`,
  ]);
  await chmod(dirname(path), 0o555);
  t.deepEqual(await sentencesAsNobody(t, path, join(dirname(path), "new.db")), [
    `is in a folder that this user may not write to: ${dirname(path)}`,
    `is in a folder that this user may not write to: ${dirname(path)}`,
  ]);
  await chmod(dirname(path), 0o700);
});
