import type { Form } from "../../../oauth/form.ts";
import type { ResultCode } from "../answer/result.ts";
import type { AuthorizationRefusal } from "./authorization-answer.ts";

/** The codes that name their parameter; a map, because a client chooses the names that are looked up. */
const codesOfRepeated: ReadonlyMap<string, ResultCode> = new Map([
  ["scope", "A007302"],
  ["request", "A008301"],
  ["request_uri", "A008302"],
  ["response_type", "A009303"],
  ["client_id", "A010303"],
  ["redirect_uri", "A011302"],
  ["response_mode", "A012302"],
  ["state", "A013302"],
  ["nonce", "A014302"],
  ["display", "A015302"],
  ["prompt", "A016302"],
  ["max_age", "A017302"],
  ["ui_locales", "A018302"],
  ["claims_locales", "A020302"],
  ["acr_values", "A021302"],
  ["code_challenge", "A124303"],
  ["code_challenge_method", "A124305"],
]);

/**
 * The longest value of each parameter, in characters. Parameters that are not listed are compared as a whole, or not
 * read.
 */
const longest: ReadonlyMap<string, number> = new Map([
  ["scope", 4096],
  ["resource", 2000],
  ["response_type", 255],
  ["response_mode", 255],
  ["prompt", 255],
  ["acr_values", 2000],
  ["ui_locales", 1000],
  ["claims_locales", 1000],
  ["login_hint", 1000],
  ["id_token_hint", 16_384],
  ["claims", 16_384],
]);
const mostResources = 100;
const longestState = 4096;
const longestNonce = 1024;

const printable = /^[\x20-\x7E]*$/;

/** Checks the number and the length of parameters before any value is read (RFC 6749 §3.1). */
export function parameterDefect(form: Form): AuthorizationRefusal | undefined {
  const repeated = form.repeated.find((name) => name !== "resource");
  if (repeated !== undefined) return refusedForRepeating(repeated);
  for (const [name, most] of longest) {
    if (form.getAll(name).some((value) => value.length > most)) return invalid("A004305", name);
  }
  if (form.getAll("resource").length > mostResources) return invalid("A004305", "resource");
  return textDefect(form.get("state"), longestState, "A013303", "A013304") ?? nonceDefect(form);
}

/** The name that is repeated goes into the message only if it is one of ours. */
function refusedForRepeating(name: string): AuthorizationRefusal {
  const code = codesOfRepeated.get(name);
  if (code !== undefined) return { error: "invalid_request", code };
  return longest.has(name) ? invalid("A004304", name) : { error: "invalid_request", code: "A004304" };
}

/** The `state` that every answer gives back, if it is one that can be given back (RFC 6749 App. A.5). */
export function stateToReturn(form: Form): string | undefined {
  const state = form.get("state");
  if (form.repeated.includes("state")) return undefined;
  return textDefect(state, longestState, "A013303", "A013304") === undefined ? state : undefined;
}

function nonceDefect(form: Form): AuthorizationRefusal | undefined {
  return textDefect(form.get("nonce"), longestNonce, "A014304", "A014305");
}

function textDefect(
  text: string | undefined,
  most: number,
  beyondAscii: ResultCode,
  tooLong: ResultCode,
): AuthorizationRefusal | undefined {
  if (text === undefined) return undefined;
  if (text.length > most) return { error: "invalid_request", code: tooLong };
  return printable.test(text) ? undefined : { error: "invalid_request", code: beyondAscii };
}

function invalid(code: ResultCode, detail: string): AuthorizationRefusal {
  return { error: "invalid_request", code, detail };
}
