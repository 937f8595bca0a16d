/** The members of a package.json that a release uses. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly [member: string]: unknown;
}

/** Only for development: `optionalDependencies` installs a Node, `private` keeps the folder unpublished. */
const left = ["private", "scripts", "devDependencies", "optionalDependencies", "exports", "bin"];

/** The manifest of the tarball, made from the checkout's: paths in src/ become paths in dist/. */
export function releaseManifest(manifest: Manifest): Manifest {
  const kept = Object.fromEntries(Object.entries(manifest).filter(([member]) => !left.includes(member)));
  const { name, version } = manifest;
  return {
    ...kept,
    name,
    version,
    bin: Object.fromEntries(Object.entries(manifest.bin).map(([command, file]) => [command, built(file)])),
    exports: Object.fromEntries(
      Object.entries(manifest.exports).map(([entry, target]) => [entry, withoutSource(target)]),
    ),
  };
}

function built(file: string): string {
  return file.replace(/^(\.\/)?src\//, "dist/").replace(/\.ts$/, ".js");
}

function withoutSource(target: string | Readonly<Record<string, string>>): string | Record<string, string> {
  if (typeof target === "string") return target;
  return Object.fromEntries(Object.entries(target).filter(([condition]) => condition !== "certbound-source"));
}
