import { bothConfirmations, type Confirmation, isThumbprint, readConfirmation } from "../../oauth/confirmation.ts";
import { boundTypeMember, lettersOf } from "./token-kind.ts";
import type { Tolerances } from "./dialects.ts";

/** A token's binding according to an answer. */
export interface AnsweredBinding {
  readonly confirmation: Confirmation;
  /** The scopes without those that carry a binding. */
  readonly scopes: readonly string[];
  /** For the operator: the option with which it could be read. */
  readonly remark: string | undefined;
}

/** WSO2's name for `x5t#S256`. */
const misnamed = "x5t#SHA256";
/**
 * WSO2 stores the binding among the scopes of a bound token (`x5t#SHA256:<thumbprint>`); matches any spelling and
 * separator.
 */
const disguised = /(?<![a-z0-9])x5t(?![a-z0-9])/i;
/** Says that a token is bound, but not to what (WSO2's `binding_type`). */
const bindingMember = /^(token)?bindingtype$/;
const bindingType = /cert|dpop|tls|x509/;
const malformed: Confirmation = Object.freeze({ kind: "malformed" });
const unsupported: Confirmation = Object.freeze({ kind: "unsupported", member: misnamed });

/**
 * Reads the binding from `cnf`, other members, the scopes and the types: a stated binding must never count as "not
 * bound". If there are several, all must agree.
 *
 * Without the tolerance both forms of WSO2 are `unsupported`, so the token is refused. With it all thumbprints must be
 * equal.
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

/** Reads a binding in `cnf` or among the scopes. */
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
    const remark = "the binding in the scope and cnf do not match, or are not thumbprints";
    return { confirmation: malformed, scopes: without(scopes), remark };
  }
  return { confirmation: { kind: "certificate", x5tS256 }, scopes: without(scopes), remark: undefined };
}

/** Returns the member that states by a type only that the token is bound; an invalid binding stays invalid. */
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

/** Returns `cnf` with its thumbprint under the registered name and without padding, as far as this is tolerated. */
function asRegistered(cnf: unknown, tolerances: Tolerances): unknown {
  if (typeof cnf !== "object" || cnf === null || Array.isArray(cnf)) return cnf;
  const members = { ...(cnf as Record<string, unknown>) };
  if (tolerances.x5tSHA256 && Object.hasOwn(members, misnamed)) {
    const value = unpadded(members[misnamed], tolerances);
    const right = Object.hasOwn(members, "x5t#S256") ? unpadded(members["x5t#S256"], tolerances) : value;
    // No certificate can match two different bindings.
    if (right !== value) return null;
    // All other members must still be checked.
    const others = Object.entries(members).filter(([name]) => name !== misnamed);
    return { ...Object.fromEntries(others), "x5t#S256": value };
  }
  if (!Object.hasOwn(members, "x5t#S256")) return cnf;
  return { ...members, "x5t#S256": unpadded(members["x5t#S256"], tolerances) };
}

function remarkOn(confirmation: Confirmation): string | undefined {
  if (confirmation.kind === "malformed")
    return "the stated binding is not a thumbprint, or there are two different ones";
  if (confirmation.kind !== "unsupported") return undefined;
  return confirmation.member === misnamed
    ? `it has ${misnamed} where RFC 8705 has x5t#S256: dialect: "wso2" understands it`
    : unchecked(confirmation.member);
}

type Members = Readonly<Record<string, unknown>>;

/** A thumbprint is read under these names anywhere: RFC 8705's (Janssen, Gluu), and that of Authlete's API. */
const registered: ReadonlySet<string> = new Set(["x5t#S256", "certificateThumbprint"]);

/** `x5t`, `x5t#s256`, `x5t_sha256`, `cnf.x5t#S256`, …: a certificate's thumbprint in any spelling. */
const spellsThumbprint = /(^|[^a-z0-9])x5t($|[^a-z])|x5t[^a-z0-9]*(s\d|sha)/;
/** `Cnf`, `cnf.jkt`, `cnf_jwk`: a `cnf` in another spelling or flattened. */
const spellsCnf = /^cnf($|[^a-z0-9])/;
const ofCertificate = /cert|tls|x509|x5/;
const digested = /fingerprint|digest|hash|sha256$/;
/** `cnf` is read separately; the binding of an actor is not that of the token (RFC 8693 §4.1). */
const aboutOthers: ReadonlySet<string> = new Set(["cnf", "act", "may_act"]);
/** The server chooses the length of a name. */
const longestName = 32;

/**
 * Reads the bindings outside `cnf`, beside it or in an object beside it (Hydra's `ext`): each one binds the token, or
 * causes a refusal.
 *
 * Under a known name the value must be a thumbprint (otherwise `malformed`); a name that clearly means a thumbprint in
 * another spelling is `unsupported`. `null` is ignored.
 *
 * @example statedBindings({ "x5t#S256": "A4Dt…" }, exact) // [{ kind: "certificate", x5tS256: "A4Dt…" }]
 */
function statedBindings(claims: Members, tolerances: Tolerances): readonly Confirmation[] {
  const stated = statedIn(claims, tolerances);
  for (const [name, value] of Object.entries(claims)) {
    if (aboutOthers.has(name) || !isObject(value)) continue;
    if (name === "ext") stated.push(readConfirmation(value["cnf"]), ...statedIn(value, tolerances));
    // The thumbprint in a JWK belongs to the certificate of that key (RFC 7517 §4.9).
    else if (!Object.hasOwn(value, "kty")) stated.push(...plainlyStatedIn(value, tolerances));
  }
  return stated;
}

/** In an object of unknown meaning: only `cnf` by its exact name, and names that can only mean a thumbprint. */
function plainlyStatedIn(members: Members, tolerances: Tolerances): Confirmation[] {
  const thumbprints = Object.entries(members).filter(([name]) => spellsThumbprint.test(name.toLowerCase()));
  const cnf = members["cnf"] ?? undefined;
  return [readConfirmation(cnf), ...statedIn(Object.fromEntries(thumbprints), tolerances)];
}

function statedIn(members: Members, tolerances: Tolerances): Confirmation[] {
  const stated: Confirmation[] = [];
  for (const [name, value] of Object.entries(members)) {
    if (name === "cnf" || value === undefined || value === null || !meansBinding(name, value)) continue;
    if (registered.has(name) || (name === misnamed && tolerances.x5tSHA256)) {
      const x5tS256 = unpadded(value, tolerances);
      stated.push(isThumbprint(x5tS256) ? { kind: "certificate", x5tS256 } : malformed);
    } else stated.push({ kind: "unsupported", member: name.slice(0, longestName) });
  }
  return stated;
}

function meansBinding(name: string, value: unknown): boolean {
  const small = name.toLowerCase();
  if (spellsThumbprint.test(small) || spellsCnf.test(small)) return true;
  const letters = lettersOf(name);
  if (letters === "jkt" || letters === "dpopjkt" || letters.includes("thumbprint")) return true;
  if (letters === "confirmation") return isObject(value);
  return digested.test(letters) && ofCertificate.test(letters);
}

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Returns a thumbprint without its `=` padding, if that is tolerated.
 *
 * @example unpadded("A4Dt…5v0=", { paddedThumbprint: true }) // "A4Dt…5v0"
 */
function unpadded(value: unknown, { paddedThumbprint }: Pick<Tolerances, "paddedThumbprint">): unknown {
  return paddedThumbprint && typeof value === "string" && value.length === 44 && value.endsWith("=")
    ? value.slice(0, -1)
    : value;
}
