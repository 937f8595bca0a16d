import { ApiError } from "../contract/api-error.ts";
import { pathMembers, type Operation } from "../contract/operation.ts";

/**
 * Where a request without a body goes: its members as segments of the operation's path and as its query.
 *
 * Members without a value are left out, a list is repeated. Throws {@link ApiError} 400 `A126202` for one that no path
 * can carry, before anything is sent; the message does not quote it.
 *
 * @example targetOf(authTokenGetList, { subject: "user-1", end: 20 }) // "/auth/token/get/list?subject=user-1&end=20"
 */
export function targetOf(operation: Pick<Operation, "path">, request: unknown): string {
  const members = Object.entries((request ?? {}) as Record<string, unknown>);
  const inPath = pathMembers(operation);
  let { path }: { path: string } = operation;
  for (const name of inPath) {
    const value = members.find(([member]) => member === name)?.[1];
    // A URL has no such segments: they would be resolved, and another path be called.
    if (!isWritable(value) || /^\.{0,2}$/.test(String(value))) {
      throw new ApiError(400, "A126202", `${operation.path}, the request does not have the right shape: ${name}.`);
    }
    path = path.replace(`{${name}}`, () => encodeURIComponent(value));
  }
  const query = new URLSearchParams();
  for (const [name, value] of members) {
    if (inPath.includes(name) || value === undefined || value === null) continue;
    for (const each of Array.isArray(value) ? (value as unknown[]) : [value])
      query.append(name, written(operation, name, each));
  }
  return query.size === 0 ? path : `${path}?${query.toString()}`;
}

function written({ path }: Pick<Operation, "path">, name: string, value: unknown): string {
  if (isWritable(value)) return String(value);
  throw new ApiError(400, "A126202", `${path}, the request does not have the right shape: ${name}.`);
}

/** Text that is not well-formed Unicode has no percent-encoding. */
function isWritable(value: unknown): value is string | number | boolean {
  if (typeof value === "string") return value.isWellFormed();
  return typeof value === "number" || typeof value === "boolean";
}
