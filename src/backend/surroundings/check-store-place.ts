import { access, constants, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { problem, type Finding } from "./finding.ts";

/** Whether the store's folder and file can be written; neither is opened. `path` is absolute. */
export async function checkStorePlace(path: string): Promise<readonly Finding[]> {
  const at = "store.sqlite";
  const folder = dirname(path);
  const place = await stat(folder).catch(() => undefined);
  if (place === undefined) return [problem(at, `has no folder: ${folder} does not exist; make it first`)];
  if (!place.isDirectory()) return [problem(at, `has no folder: ${folder} is a file`)];
  // The log and its index are made beside the file.
  if (!(await isAllowed(folder, constants.W_OK | constants.X_OK))) {
    return [problem(at, `is in a folder that this user may not write to: ${folder}`)];
  }
  const file = await stat(path).catch(() => undefined);
  if (file === undefined) return [];
  if (!file.isFile()) return [problem(at, `is not a file: ${path}`)];
  if (await isAllowed(path, constants.R_OK | constants.W_OK)) return [];
  return [problem(at, `is a file that this user may not read and write: ${path}`)];
}

function isAllowed(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}
