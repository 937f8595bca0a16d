// Builds build/package/ from scratch and packs it. A release is this tarball, tested, and nothing else: the package.json
// of the checkout is private, since npm would publish that one even after a script has put another in its place.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
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
await nameDeclarations(new URL("dist/", target));
await writeFile(new URL("package.json", target), `${JSON.stringify(releaseManifest(manifest), undefined, 2)}\n`);
for (const path of [...documents, ...whenPresent.filter((path) => existsSync(new URL(path, root)))]) {
  await cp(new URL(path, root), new URL(path, target));
}
run("npm", ["pack", "--silent"], target);
const tarball = `${manifest.name}-${manifest.version}.tgz`;
await rename(new URL(tarball, target), new URL(`build/${tarball}`, root));
process.stdout.write(`build/${tarball}\n`);

/** The compiler turns `./a.ts` into `./a.js` in what runs, but not in declarations; older compilers read only `.js`. */
async function nameDeclarations(folder: URL): Promise<void> {
  const names = await readdir(folder, { recursive: true });
  for (const name of names.filter((candidate) => candidate.endsWith(".d.ts"))) {
    const file = new URL(name, folder);
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace(/((?:from|import)\s*\(?\s*"\.[^"\n]*)\.ts"/g, '$1.js"'));
  }
}

function run(command: string, args: readonly string[], cwd: URL): void {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status === 0) return;
  process.stderr.write(`${stdout}${stderr}\n${command} ${args.join(" ")}: exit code ${status ?? "none"}\n`);
  process.exit(1);
}
