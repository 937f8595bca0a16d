// Builds build/package/ from scratch and packs it. A release is this tarball, tested, and nothing else. The package.json
// of the checkout is private, because npm would publish that one even if a script had replaced it.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type Manifest, releaseManifest } from "./release-manifest.ts";

const root = new URL("../", import.meta.url);
const target = new URL("build/package/", root);
const documents = ["README.md", "LICENSE", "CHANGELOG.md", "openapi.yaml", "openapi-v2.yaml"];
const whenPresent = ["examples/backend.yaml"];

const manifest = JSON.parse(await readFile(new URL("package.json", root), "utf8")) as Manifest;

await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });
run(process.execPath, [fileURLToPath(import.meta.resolve("typescript/bin/tsc")), "-p", "tsconfig.build.json"], root);
await writeFile(new URL("package.json", target), `${JSON.stringify(releaseManifest(manifest), undefined, 2)}\n`);
for (const path of [...documents, ...whenPresent.filter((path) => existsSync(new URL(path, root)))]) {
  await cp(new URL(path, root), new URL(path, target));
}
run("npm", ["pack", "--silent"], target);
const tarball = `${manifest.name}-${manifest.version}.tgz`;
await rename(new URL(tarball, target), new URL(`build/${tarball}`, root));
process.stdout.write(`build/${tarball}\n`);

function run(command: string, args: readonly string[], cwd: URL): void {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status === 0) return;
  process.stderr.write(`${stdout}${stderr}\n${command} ${args.join(" ")}: exit code ${status ?? "none"}\n`);
  process.exit(1);
}
