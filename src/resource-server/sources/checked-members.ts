import { isScopeToken } from "../../oauth/scope.ts";
import { IntrospectionMalformed } from "../refusal/introspection-unavailable.ts";

/** Later than the year 5138 in seconds: surely milliseconds (introspection answers have seconds, RFC 7662 §2.2). */
export const latestInstant = 100_000_000_000;

// Each throws IntrospectionMalformed, which names the member and never quotes its value.

/** A list of scope tokens (RFC 6749 §3.3): a text would contain every part of itself. */
export function scopeList(name: string, value: unknown): readonly string[] {
  if (!Array.isArray(value) || !value.every((one) => typeof one === "string" && isScopeToken(one))) {
    throw wrongMember(name, "is no list of scope tokens");
  }
  return value as string[];
}

/** A list of texts. */
export function nameList(name: string, value: unknown): readonly string[] {
  if (!Array.isArray(value) || !value.every((one) => typeof one === "string")) {
    throw wrongMember(name, "is no list of texts");
  }
  return value;
}

/** Seconds since 1970, or `undefined`. */
export function instantOrNone(name: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !(value >= -latestInstant)) {
    throw wrongMember(name, "is no number of seconds since 1970");
  }
  if (value > latestInstant) throw wrongMember(name, "looks like milliseconds: it is in seconds since 1970");
  return value;
}

/** A text, or `undefined`. */
export function textOrNone(name: string, value: unknown): string | undefined {
  if (value !== undefined && typeof value !== "string") throw wrongMember(name, "is no text");
  return value;
}

/** An object that is no array. */
export function objectMember(name: string, value: unknown): Readonly<Record<string, unknown>> {
  if (value === undefined) throw wrongMember(name, "is missing");
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrongMember(name, "is no object");
  return value as Readonly<Record<string, unknown>>;
}

/** What {@link IntrospectionMalformed} says of a member. */
export function wrongMember(name: string, defect: string): IntrospectionMalformed {
  return new IntrospectionMalformed(`${name} ${defect}`);
}
