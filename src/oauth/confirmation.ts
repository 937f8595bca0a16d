/**
 * The binding of a token.
 *
 * `unsupported`: a registered binding that is not checked here. `malformed`: a `cnf` without a usable binding. Both
 * reject the token: a binding that cannot be checked must never count as "not bound".
 */
export type Confirmation =
  | { readonly kind: "none" }
  | { readonly kind: "certificate"; readonly x5tS256: string }
  | { readonly kind: "unsupported"; readonly member: string }
  | { readonly kind: "malformed" };

const none: Confirmation = Object.freeze({ kind: "none" });
const malformed: Confirmation = Object.freeze({ kind: "malformed" });

/** base64url of 32 octets: the last character has only four significant bits (RFC 8705 §3.1). */
const sha256Thumbprint = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/** The other registered bindings (RFC 7800 §3, RFC 9203 §3.2.1, RFC 9449 §6.1), which are not checked here. */
const otherBindings = new Set(["jkt", "jwk", "jwe", "jku", "kid", "osc"]);

/** Limits a misspelt name, which is shown to the operator. */
const longestMember = 32;

/**
 * Reads the `cnf` member of an introspection answer or of a JWT (RFC 7800 §3.1, RFC 8705 §3.1 and §3.2).
 *
 * Accepts any value and never throws. `undefined` means that there is no `cnf`.
 *
 * @example readConfirmation({ "x5t#S256": "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0" })
 */
export function readConfirmation(cnf: unknown): Confirmation {
  if (cnf === undefined) return none;
  if (typeof cnf !== "object" || cnf === null || Array.isArray(cnf)) return malformed;
  for (const member of Object.keys(cnf)) {
    if (otherBindings.has(member)) return { kind: "unsupported", member };
    if (isMisspeltThumbprint(member)) return { kind: "unsupported", member: member.slice(0, longestMember) };
  }
  // Own members only, in case a prototype is polluted.
  const x5tS256: unknown = Object.hasOwn(cnf, "x5t#S256") ? (cnf as Record<string, unknown>)["x5t#S256"] : undefined;
  return isThumbprint(x5tS256) ? { kind: "certificate", x5tS256 } : malformed;
}

/**
 * Combines two bindings of one token. A binding in either counts; two different ones can never be satisfied.
 *
 * @example bothConfirmations({ kind: "none" }, { kind: "certificate", x5tS256 }).kind // "certificate"
 */
export function bothConfirmations(one: Confirmation, other: Confirmation): Confirmation {
  if (one.kind === "none") return other;
  if (other.kind === "none") return one;
  if (one.kind !== "certificate") return one;
  if (other.kind !== "certificate") return other;
  return one.x5tS256 === other.x5tS256 ? one : malformed;
}

/**
 * Whether a value is a SHA-256 certificate thumbprint: 43 characters of unpadded base64url (RFC 8705 §3.1).
 *
 * @example isThumbprint("A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0") // true
 */
export function isThumbprint(value: unknown): value is string {
  return typeof value === "string" && sha256Thumbprint.test(value);
}

/** `x5t#SHA256`, `x5t#s256`, `x5t`, … mean a certificate binding, which must not be overlooked. */
function isMisspeltThumbprint(member: string): boolean {
  return member !== "x5t#S256" && member.toLowerCase().startsWith("x5t");
}
