import { accessSync, constants, statSync, type Stats } from "node:fs";
import { dirname } from "node:path";

/**
 * Why a store cannot be at an absolute path, or `undefined` if it can: its folder or its file is missing, of the wrong
 * kind or not writable. Opens and makes nothing.
 *
 * @example defectOfStorePlace("/missing/store.db") // "has no folder: /missing does not exist; make it first"
 */
export function defectOfStorePlace(path: string): string | undefined {
  const folder = dirname(path);
  const place = statOf(folder);
  if (place === undefined) return `has no folder: ${folder} does not exist; make it first`;
  if (!place.isDirectory()) return `has no folder: ${folder} is a file`;
  // The log and its index are made beside the file.
  if (!isAllowed(folder, constants.W_OK | constants.X_OK)) {
    return `is in a folder that this user may not write to: ${folder}`;
  }
  const file = statOf(path);
  if (file === undefined) return undefined;
  if (!file.isFile()) return `is not a file: ${path}`;
  return isAllowed(path, constants.R_OK | constants.W_OK)
    ? undefined
    : `is a file that this user may not read and write: ${path}`;
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function isAllowed(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
