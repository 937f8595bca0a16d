import { isScopeToken } from "../../oauth/scope.ts";
import { IntrospectionMalformed } from "../refusal/introspection-unavailable.ts";

/** The year 5138 in seconds; a larger value is in milliseconds (introspection answers have seconds, RFC 7662 §2.2). */
export const latestInstant = 100_000_000_000;

// Each function throws IntrospectionMalformed, which names the member and never quotes its value.

/** Reads a list of scope tokens (RFC 6749 §3.3); not a string, whose `includes` would match every part of it. */
export function scopeList(name: string, value: unknown): readonly string[] {
  if (!Array.isArray(value) || !value.every((one) => typeof one === "string" && isScopeToken(one))) {
    throw wrongMember(name, "is not a list of scope tokens");
  }
  return value as string[];
}

/** Reads a list of strings. */
export function nameList(name: string, value: unknown): readonly string[] {
  if (!Array.isArray(value) || !value.every((one) => typeof one === "string")) {
    throw wrongMember(name, "is not a list of strings");
  }
  return value;
}

/** Reads an optional instant in seconds since 1970. */
export function instantOrNone(name: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !(value >= -latestInstant)) {
    throw wrongMember(name, "is not a number of seconds since 1970");
  }
  if (value > latestInstant) throw wrongMember(name, "looks like milliseconds: it is in seconds since 1970");
  return value;
}

/** Reads an optional string. */
export function textOrNone(name: string, value: unknown): string | undefined {
  if (value !== undefined && typeof value !== "string") throw wrongMember(name, "is not a string");
  return value;
}

/** Reads an object that is not an array. */
export function objectMember(name: string, value: unknown): Readonly<Record<string, unknown>> {
  if (value === undefined) throw wrongMember(name, "is missing");
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrongMember(name, "is not an object");
  return value as Readonly<Record<string, unknown>>;
}

/** Creates the {@link IntrospectionMalformed} for a member. */
export function wrongMember(name: string, defect: string): IntrospectionMalformed {
  return new IntrospectionMalformed(`${name} ${defect}`);
}
