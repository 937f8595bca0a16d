import { optionError } from "../../options/option-error.ts";
import type { Requirement } from "../../oauth/access-token-decision.ts";

/** What a route requires; by default a certificate-bound token. */
export type RouteRequirement = Omit<Requirement, "binding"> & {
  readonly binding?: Requirement["binding"];
  /** The maximum age of facts when the request comes, in seconds; 0: they are requested for this request alone. */
  readonly maxAge?: number;
};

/** A checked requirement with defaults. */
export type CheckedRequirement = Requirement & Pick<RouteRequirement, "maxAge">;

const bound: Requirement = Object.freeze({ binding: "required" });
/** Requirements that were checked and frozen here: a protected route passes the same one with every request. */
const checked = new WeakSet<object>();
const members = new Set(["scopes", "subject", "resources", "binding", "maxAge"]);

/**
 * Checks a route's requirement and adds defaults.
 *
 * Throws a `TypeError` with a `code` for unknown or undefined members, and for a value that is not a plain object (a
 * promise, for example), so that a typo or a lost value cannot silently disable a check.
 *
 * @example readRequirement({ scopes: ["read"] }) // { scopes: ["read"], binding: "required" }
 */
export function readRequirement(requirement: RouteRequirement | undefined): CheckedRequirement {
  if (requirement === undefined) return bound;
  if (checked.has(requirement)) return requirement as CheckedRequirement;
  if (!isPlain(requirement)) throw optionError("requirement", "must be a plain object, not a promise");
  for (const [name, value] of Object.entries<unknown>(requirement)) {
    if (!members.has(name)) throw optionError(`requirement.${name}`, "is unknown");
    if (value === undefined) throw optionError(`requirement.${name}`, "is undefined: leave it out or give it a value");
  }
  const { scopes, subject, resources, binding = "required", maxAge } = requirement;
  if (!isTexts(scopes)) throw optionError("requirement.scopes", "must be an array of strings");
  if (!isTexts(resources)) throw optionError("requirement.resources", "must be an array of strings");
  if (subject !== undefined && typeof subject !== "string") throw optionError("requirement.subject", "must be text");
  if (!(["required", "if-bound"] as unknown[]).includes(binding)) {
    throw optionError("requirement.binding", 'must be "required" or "if-bound"');
  }
  if (maxAge !== undefined && !(typeof maxAge === "number" && maxAge >= 0)) {
    throw optionError("requirement.maxAge", "must be 0 or more seconds");
  }
  const read: CheckedRequirement = Object.freeze({
    binding,
    ...(scopes !== undefined && { scopes: Object.freeze([...scopes]) }),
    ...(subject !== undefined && { subject }),
    ...(resources !== undefined && { resources: Object.freeze([...resources]) }),
    ...(maxAge !== undefined && { maxAge }),
  });
  checked.add(read);
  return read;
}

/** Any other object without own members would look like an empty requirement. */
function isPlain(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value) as object | null;
  // Checks the value's own prototype chain, because a test runner may have another Object.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function isTexts(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.every((one) => typeof one === "string"));
}
