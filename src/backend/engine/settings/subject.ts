import { isSet } from "../../../oauth/json-object.ts";
import { findClient } from "./find-client.ts";
import type { Service, Settings } from "./service-and-client.ts";

/** The error in a subject that an API caller names. */
export type SubjectDefect = "empty" | "too-long" | "non-ascii" | "client";

const longest = 100;

/**
 * The error in a user's identifier, or `undefined`: it must have 1 to 100 characters of visible ASCII (Authlete's API),
 * and must not be a client's identifier, or a token of one could pass for a token of the other (RFC 9700 §4.15).
 */
export async function subjectDefect(
  settings: Settings,
  service: Service,
  subject: string | null | undefined,
): Promise<SubjectDefect | undefined> {
  if (!isSet(subject)) return "empty";
  if (subject.length > longest) return "too-long";
  if (!/^[\x20-\x7e]+$/.test(subject)) return "non-ascii";
  return (await findClient(settings, service, subject)) === undefined ? undefined : "client";
}
