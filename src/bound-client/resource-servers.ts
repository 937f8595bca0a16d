import { refuseUnknownOptions } from "../options/refuse-unknown-options.ts";
import { optionError } from "../options/option-error.ts";
import { isJsonObject } from "../oauth/json-object.ts";
import type { TokenTarget } from "./bound-tokens.ts";
import { readTarget, type TargetOptions } from "./read-target.ts";

/** An API that gets a token of its own kind. */
export interface BoundResourceServer extends TargetOptions {
  /** Scheme, host and port: `https://api.example.com`. */
  readonly origin: string;
}

/** The token that an origin gets; `undefined`: none. */
export type TargetOf = (origin: string) => TokenTarget | undefined;

/**
 * Reads which origins get which token; throws a `TypeError` with a `code` for anything but https: origins.
 *
 * @example readResourceServers(["https://api.example.com"], usual)("https://evil.example.com") // undefined
 */
export function readResourceServers(given: unknown, usual: TokenTarget): TargetOf {
  if (given !== undefined && !Array.isArray(given)) throw optionError("resourceServers", "must be an array");
  const targets = new Map<string, TokenTarget>();
  for (const one of (given ?? []) as unknown[]) {
    const { origin, ...target } = isJsonObject(one) ? one : { origin: one };
    refuseUnknownOptions(target, ["scope", "resource"], "resourceServers");
    const url = typeof origin === "string" ? URL.parse(origin) : null;
    if (url?.protocol !== "https:" || (origin !== url.origin && origin !== `${url.origin}/`)) {
      throw optionError("resourceServers", "must be https: origins without a path");
    }
    if (targets.has(url.origin)) throw optionError("resourceServers", "must name each origin once");
    targets.set(url.origin, readTarget(target, usual));
  }
  return (origin) => targets.get(origin);
}
