import { bothConfirmations, type Confirmation, isThumbprint, readConfirmation } from "../../oauth/confirmation.ts";
import type { Tolerances } from "./dialects.ts";
import { misnamed, statedBindings, unpadded } from "./stated-bindings.ts";
import { boundTypeMember, lettersOf } from "./token-kind.ts";

/** What an answer says of a token's binding. */
export interface AnsweredBinding {
  readonly confirmation: Confirmation;
  /** The scopes without those that are a binding in disguise. */
  readonly scopes: readonly string[];
  /** For the operator: which option would let it be understood. */
  readonly remark: string | undefined;
}

/** What WSO2 stores among the scopes of a bound token (`x5t#SHA256:<thumbprint>`), in any spelling, set off by anything. */
const disguised = /(?<![a-z0-9])x5t(?![a-z0-9])/i;
/** Says that a token is bound, without saying to what (WSO2's `binding_type`). */
const bindingMember = /^(token)?bindingtype$/;
const bindingType = /cert|dpop|tls|x509/;
const malformed: Confirmation = Object.freeze({ kind: "malformed" });
const unsupported: Confirmation = Object.freeze({ kind: "unsupported", member: misnamed });

/**
 * Reads the binding out of `cnf`, the members beside it, the scopes and the types: what says that it is bound must never
 * count as "not bound". Where it is said more than once, all must say the same.
 *
 * Without the tolerance for it both forms of WSO2 are `unsupported`, which refuses. With it the thumbprints must all be
 * the same.
 *
 * @example readBinding({ cnf: { "x5t#SHA256": "…" } }, [], readDialect("wso2")).confirmation.kind // "certificate"
 */
export function readBinding(
  claims: Readonly<Record<string, unknown>>,
  scopes: readonly string[],
  tolerances: Tolerances,
): AnsweredBinding {
  const named = readNamed(claims["cnf"], scopes, tolerances);
  const confirmation = statedBindings(claims, tolerances).reduce(bothConfirmations, named.confirmation);
  const read = confirmation === named.confirmation ? named : { ...named, confirmation, remark: remarkOn(confirmation) };
  const member = typedBinding(claims, confirmation);
  if (member === undefined) return read;
  return { ...read, confirmation: { kind: "unsupported", member }, remark: unchecked(member) };
}

function unchecked(member: string): string {
  return `${member} says that the token is bound, in a way that is not checked here`;
}

/** A binding that has a name: in `cnf`, or among the scopes. */
function readNamed(cnf: unknown, scopes: readonly string[], tolerances: Tolerances): AnsweredBinding {
  const carriers = scopes.filter((scope) => disguised.test(scope));
  const inCnf = readConfirmation(asRegistered(cnf, tolerances));
  if (carriers.length === 0) return { confirmation: inCnf, scopes, remark: remarkOn(inCnf) };
  const agreed = carriers.every(
    (carrier) => inCnf.kind === "certificate" && carrier === `${misnamed}:${inCnf.x5tS256}`,
  );
  if (agreed) {
    return { confirmation: inCnf, scopes: tolerances.bindingInScope ? without(scopes) : scopes, remark: undefined };
  }
  if (!tolerances.bindingInScope) {
    const remark = `a scope carries a certificate binding (${misnamed}:…): dialect: "wso2" understands it`;
    return { confirmation: unsupported, scopes, remark };
  }
  const thumbprints = new Set(carriers.map((carrier) => carrier.slice(misnamed.length + 1)));
  const [x5tS256, another] = thumbprints;
  const spelled = carriers.every((carrier) => carrier.startsWith(`${misnamed}:`));
  if (inCnf.kind !== "none" || !spelled || another !== undefined || !isThumbprint(x5tS256)) {
    const remark = "the scope that carries the binding and cnf do not agree, or are no thumbprint";
    return { confirmation: malformed, scopes: without(scopes), remark };
  }
  return { confirmation: { kind: "certificate", x5tS256 }, scopes: without(scopes), remark: undefined };
}

/** The member that says by a type, and no more, that the token is bound; what is wrong already stays so. */
function typedBinding(claims: Readonly<Record<string, unknown>>, { kind }: Confirmation): string | undefined {
  if (kind !== "none" && kind !== "certificate") return undefined;
  const bound = boundTypeMember(claims);
  if (bound !== undefined || kind === "certificate") return bound;
  return Object.keys(claims).find((name) => {
    const value = claims[name];
    return bindingMember.test(lettersOf(name)) && typeof value === "string" && bindingType.test(value.toLowerCase());
  });
}

function without(scopes: readonly string[]): readonly string[] {
  return scopes.filter((scope) => !disguised.test(scope));
}

/** `cnf` with its thumbprint under the registered name and without padding, as far as that is tolerated. */
function asRegistered(cnf: unknown, tolerances: Tolerances): unknown {
  if (typeof cnf !== "object" || cnf === null || Array.isArray(cnf)) return cnf;
  const members = { ...(cnf as Record<string, unknown>) };
  if (tolerances.x5tSHA256 && Object.hasOwn(members, misnamed)) {
    const value = unpadded(members[misnamed], tolerances);
    const right = Object.hasOwn(members, "x5t#S256") ? unpadded(members["x5t#S256"], tolerances) : value;
    // Two bindings that differ cannot both be held.
    if (right !== value) return null;
    // Not by `delete`: whatever else is in it must still be looked at.
    const others = Object.entries(members).filter(([name]) => name !== misnamed);
    return { ...Object.fromEntries(others), "x5t#S256": value };
  }
  if (!Object.hasOwn(members, "x5t#S256")) return cnf;
  return { ...members, "x5t#S256": unpadded(members["x5t#S256"], tolerances) };
}

function remarkOn(confirmation: Confirmation): string | undefined {
  if (confirmation.kind === "malformed") return "what is said of the binding is no thumbprint, or two that differ";
  if (confirmation.kind !== "unsupported") return undefined;
  return confirmation.member === misnamed
    ? `it has ${misnamed} where RFC 8705 has x5t#S256: dialect: "wso2" understands it`
    : unchecked(confirmation.member);
}
