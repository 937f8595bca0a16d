import type {
  ActiveTokenFacts,
  PresentedCertificate,
  RefusalCode,
  Requirement,
} from "../../oauth/access-token-decision.ts";
import type { Confirmation } from "../../oauth/confirmation.ts";
import { type DiagnosisDetails, oneLine } from "./diagnosis.ts";

/** What a decision was made from; `facts` are `undefined` where the backend decided and told none. */
export interface DecisionInputs {
  readonly facts: ActiveTokenFacts | undefined;
  readonly requirement: Requirement;
  readonly presented: PresentedCertificate;
  /** Milliseconds since 1970. */
  readonly now: number;
}

const ways: Readonly<Record<RefusalCode, (inputs: DecisionInputs) => DiagnosisDetails>> = {
  token_unknown: () => ({}),
  client_locked: () => ({}),
  token_expired: ({ facts, now }) => ({ expected: `exp after ${Math.floor(now) / 1000}`, found: instant(facts?.exp) }),
  token_not_yet_valid: ({ facts, now }) => ({
    expected: `nbf until ${Math.floor(now) / 1000}`,
    found: instant(facts?.nbf),
  }),
  certificate_unreadable: ({ facts, presented }) => ({
    expected: thumbprintOf(facts?.confirmation),
    found: presented !== undefined && "unreadable" in presented ? whyUnreadable(presented.unreadable) : undefined,
  }),
  confirmation_malformed: () => ({ expected: "cnf x5t#S256", found: "a malformed cnf" }),
  confirmation_unsupported: ({ facts }) => ({
    expected: "cnf x5t#S256",
    found: facts?.confirmation.kind === "unsupported" ? `cnf ${oneLine(facts.confirmation.member, 40)}` : undefined,
  }),
  certificate_missing: ({ facts }) => ({ expected: thumbprintOf(facts?.confirmation), found: "no certificate" }),
  certificate_mismatch: ({ facts, presented }) => ({
    expected: thumbprintOf(facts?.confirmation),
    found: presented !== undefined && "x5tS256" in presented ? presented.x5tS256 : undefined,
  }),
  token_unbound: () => ({ expected: "cnf x5t#S256", found: "no cnf" }),
  audience_mismatch: ({ facts, requirement }) => demandedAndHeld(requirement.resources, facts?.audience),
  // A subject is a person: whoever needs it has it in the event's token, and logs it on purpose.
  subject_missing: () => ({ expected: "a certain subject", found: "no subject" }),
  subject_mismatch: () => ({ expected: "a certain subject", found: "another subject" }),
  scope_insufficient: ({ facts, requirement }) => demandedAndHeld(requirement.scopes, facts?.scopes),
};

/**
 * What a refusal rests on; to be worked out when a request is refused, never before.
 *
 * @example evidenceOf("certificate_mismatch", { facts, requirement, presented, now }) // { expected: "A4Dt…", found: "OID_…" }
 */
export function evidenceOf(code: RefusalCode, inputs: DecisionInputs): DiagnosisDetails {
  return ways[code](inputs);
}

/**
 * What a route demands beside what a token has: bounded, and what matters first.
 *
 * @example demandedAndHeld(["pay"], ["read", "write"]) // { expected: "pay", found: "read write" }
 */
export function demandedAndHeld(
  demanded: readonly string[] = [],
  held: readonly string[] | undefined,
): DiagnosisDetails {
  return { expected: listed(demanded), found: held && listed(held, demanded) };
}

const mostNames = 20;
const longestName = 100;

/** A token may carry thousands of names; the wanted ones among them are never those that are left out. */
function listed(names: readonly string[], wanted: readonly string[] = []): string {
  const shown = wanted.filter((name) => names.includes(name)).slice(0, mostNames);
  for (const name of names) {
    if (shown.length >= mostNames) break;
    if (!shown.includes(name)) shown.push(name);
  }
  const more = names.length - shown.length;
  const text = shown.map((name) => oneLine(name, longestName)).join(" ");
  return more > 0 ? `${text} (and ${more} more)` : text === "" ? "none" : text;
}

function instant(seconds: number | undefined): string | undefined {
  return seconds === undefined ? undefined : String(seconds);
}

function thumbprintOf(confirmation: Confirmation | undefined): string | undefined {
  return confirmation?.kind === "certificate" ? oneLine(confirmation.x5tS256, 43) : undefined;
}

/** Sources say it by a code, or in a few words; one of a stranger's might quote what it could not read. */
function whyUnreadable(reason: string): string {
  const quotes = /[A-Za-z0-9+/=]{30}/.test(reason);
  return quotes ? "unreadable" : oneLine(reason, longestName);
}
