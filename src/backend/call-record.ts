import { printableLine } from "../oauth/error-text.ts";
import type { CallLevel } from "./result-codes/advice.ts";
import { levelOfResult } from "./result-codes/result-codes.ts";
import type { CallFacts } from "./service-operations.ts";

/**
 * The log record of a call, over HTTP or from the same process.
 *
 * It contains no token, secret, certificate or user, and each text in it is a bounded line of printable ASCII.
 */
export interface CallRecord extends Readonly<CallFacts> {
  /**
   * `warn` for calls that the operator should look at, `error` for faults of the backend; see `docs/result-codes.md`.
   */
  readonly level: CallLevel;
  readonly resultCode?: string;
  readonly action?: string;
  /** The sentence of `resultMessage`, without the code. */
  readonly sentence?: string;
  /** The OAuth client's address as the API caller names it: for the log only, never trusted. */
  readonly clientAddress?: string;
}

/** The members of answers that are logged; no others are. */
interface Answered {
  readonly resultCode?: unknown;
  readonly resultMessage?: unknown;
  readonly action?: unknown;
  readonly clientId?: unknown;
  readonly clientIdAlias?: unknown;
  readonly clientIdAliasUsed?: unknown;
  readonly grantType?: unknown;
}

const longestSentence = 600;
const longestName = 64;

/**
 * Builds the log record of a call: from noted facts, else from its answer.
 *
 * @example callRecord(await operations.authToken(request, { note }), facts, "203.0.113.7").level // "warn"
 */
export function callRecord(answer: unknown, noted: CallFacts, clientAddress: string | undefined): CallRecord {
  const answered = (typeof answer === "object" && answer !== null ? answer : {}) as Answered;
  const resultCode = printable(answered.resultCode, longestName);
  const alias = noted.clientIdAlias ?? (answered.clientIdAliasUsed === true ? answered.clientIdAlias : undefined);
  return {
    level: levelOfResult(resultCode),
    ...given("service", noted.service),
    ...given("clientId", printable(noted.clientId ?? answered.clientId, longestName)),
    ...given("clientIdAlias", printable(alias, longestName)),
    ...given("grantType", printable(noted.grantType ?? answered.grantType, longestName)),
    ...given("resultCode", resultCode),
    ...given("action", printable(answered.action, longestName)),
    ...given("sentence", sentenceIn(answered.resultMessage)),
    ...given("thumbprint", printable(noted.thumbprint, longestName)),
    ...given("boundTo", printable(noted.boundTo, longestName)),
    ...given("clientAddress", clientAddress),
  };
}

function given<Name extends string, Value>(name: Name, value: Value | undefined): Partial<Record<Name, Value>> {
  return value === undefined ? {} : ({ [name]: value } as Record<Name, Value>);
}

function sentenceIn(resultMessage: unknown): string | undefined {
  return printable(resultMessage, longestSentence)?.replace(/^\[A\d{6}\] /, "");
}

function printable(value: unknown, longest: number): string | undefined {
  if (typeof value !== "string" && typeof value !== "number") return undefined;
  const line = printableLine(String(value), longest);
  return line === "" ? undefined : line;
}
