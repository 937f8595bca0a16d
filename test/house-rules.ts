import type { Room } from "./house.ts";
import type { Import, SourceFile } from "./support/source-tree.ts";

type House = Readonly<Record<string, Room>>;

/** The room of a file: the one with the longest prefix. */
export function roomOf(house: House, path: string): string | undefined {
  return Object.keys(house)
    .filter((room) => isIn(room, path))
    .sort((a, b) => b.length - a.length)[0];
}

function isIn(room: string, path: string): boolean {
  const folder = room.replace(/\*\.ts$/, "");
  return path.startsWith(folder) && (folder === room || !path.slice(folder.length).includes("/"));
}

/** Imports that the house does not allow, one line each. */
export function forbiddenImports(house: House, files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, imports }) => {
    const name = roomOf(house, path);
    if (name === undefined) return [`${path} is in no room`];
    const room = house[name] ?? {};
    return imports
      .filter((found) => !isAllowed(house, name, room, found))
      .map((found) => `${path} imports ${asWritten(found)}`);
  });
}

function isAllowed(house: House, name: string, room: Room, { kind, target, typeOnly, lazy }: Import): boolean {
  if (kind === "node") return (room.node ?? []).includes(target);
  if (kind === "package") {
    const { packages = [], packageTypes = [], lazyPackages = [] } = room;
    return [...packages, ...(typeOnly ? packageTypes : []), ...(lazy ? lazyPackages : [])].includes(target);
  }
  const { ours = [], ourTypes = [], lazyOurs = [] } = room;
  const allowed = [name, ...ours, ...(typeOnly ? [...ourTypes, ...lazyOurs] : []), ...(lazy ? lazyOurs : [])];
  return allowed.includes(roomOf(house, target) ?? "(none)");
}

function asWritten({ target, typeOnly, lazy }: Import): string {
  return target + (typeOnly ? " as a type" : lazy ? " lazily" : "");
}

/** Chains of imports, type imports included, that come back to where they began. */
export function importCycles(files: readonly SourceFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const walk = (path: string, above: readonly string[]): void => {
    const start = above.indexOf(path);
    if (start >= 0) cycles.push([...above.slice(start), path].join(" → "));
    if (start >= 0 || done.has(path)) return;
    for (const { kind, target } of byPath.get(path)?.imports ?? []) if (kind === "ours") walk(target, [...above, path]);
    done.add(path);
  };
  for (const { path } of files) walk(path, []);
  return cycles;
}

/** The files and packages that importing a file loads at once. */
export function loadedBy(files: readonly SourceFile[], entry: string): { ours: string[]; packages: string[] } {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const ours = new Set<string>();
  const packages = new Set<string>();
  const walk = (path: string): void => {
    if (ours.has(path)) return;
    ours.add(path);
    for (const { kind, target, typeOnly, lazy } of byPath.get(path)?.imports ?? []) {
      if (typeOnly || lazy) continue;
      if (kind === "ours") walk(target);
      else packages.add(target);
    }
  };
  walk(entry);
  return { ours: [...ours].sort(), packages: [...packages].filter((name) => !name.startsWith("node:")).sort() };
}

const drawers = /^(utils?|helpers?|lib|common|core|shared|misc|types)$/;
const kebabCase = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** Names that say nothing, names of another case, `index.ts` away from an entry, and files that are two ideas. */
export function misnamedOrTooLong(files: readonly SourceFile[], entries: readonly string[]): string[] {
  return files.flatMap(({ path, lines }) => {
    const names = path.replace(/\.ts$/, "").split("/");
    return [
      ...names.filter((name) => drawers.test(name)).map((name) => `${path} is in the drawer "${name}"`),
      ...names.filter((name) => !kebabCase.test(name)).map((name) => `${path} has "${name}", which is not kebab-case`),
      ...(names.at(-1) === "index" && !entries.includes(path) ? [`${path} is no entry of the package`] : []),
      ...(lines > 300 ? [`${path} has ${lines} lines`] : []),
    ];
  });
}

/** Places that read their surroundings instead of being handed them. */
export function ambientReads(files: readonly SourceFile[], roots: readonly string[]): string[] {
  return files
    .filter(({ path }) => !roots.some((root) => path.startsWith(root)))
    .flatMap(({ path, ambient }) => ambient.map((read) => `${path} reads ${read}`));
}
