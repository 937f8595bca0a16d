import { optionError } from "../../options/option-error.ts";
import type { Requirement } from "../../oauth/access-token-decision.ts";

/** What a route demands; without `binding` only a certificate-bound token will do. */
export type RouteRequirement = Omit<Requirement, "binding"> & {
  readonly binding?: Requirement["binding"];
  /** Seconds: facts that are older when the request comes will not do; 0: they are asked for, for this request alone. */
  readonly maxAge?: number;
};

/** A route's requirement, checked and completed. */
export type CheckedRequirement = Requirement & Pick<RouteRequirement, "maxAge">;

const bound: Requirement = Object.freeze({ binding: "required" });
/** What was checked here and cannot change any more: a protected route presents the same one with every request. */
const checked = new WeakSet<object>();
const members = new Set(["scopes", "subject", "resources", "binding", "maxAge"]);

/**
 * Checks a route's requirement and completes it.
 *
 * Throws a `TypeError` with a `code` for anything unknown or undefined, and for what is no plain object (a promise of a
 * requirement, say): a misspelt or lost demand would be no demand.
 *
 * @example readRequirement({ scopes: ["read"] }) // { scopes: ["read"], binding: "required" }
 */
export function readRequirement(requirement: RouteRequirement | undefined): CheckedRequirement {
  if (requirement === undefined) return bound;
  if (checked.has(requirement)) return requirement as CheckedRequirement;
  if (!isPlain(requirement)) throw optionError("requirement", "must be a plain object, and no promise of one");
  for (const [name, value] of Object.entries<unknown>(requirement)) {
    if (!members.has(name)) throw optionError(`requirement.${name}`, "is not known");
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

/** Without members of its own, any other object would look like a requirement that demands nothing. */
function isPlain(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value) as object | null;
  // By its own prototype, and not by ours: a test runner has an Object of its own.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function isTexts(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.every((one) => typeof one === "string"));
}
