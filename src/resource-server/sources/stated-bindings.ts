import { type Confirmation, isThumbprint, readConfirmation } from "../../oauth/confirmation.ts";
import type { Tolerances } from "./dialects.ts";
import { lettersOf } from "./token-kind.ts";

type Members = Readonly<Record<string, unknown>>;

/** Under these names a thumbprint is read wherever it stands: RFC 8705's (Janssen, Gluu), and that of Authlete's API. */
const registered: ReadonlySet<string> = new Set(["x5t#S256", "certificateThumbprint"]);
/** What WSO2 writes for `x5t#S256`. */
export const misnamed = "x5t#SHA256";

/** `x5t`, `x5t#s256`, `x5t_sha256`, `cnf.x5t#S256`, …: a certificate's thumbprint, in any spelling. */
const spellsThumbprint = /(^|[^a-z0-9])x5t($|[^a-z])|x5t[^a-z0-9]*(s\d|sha)/;
/** `Cnf`, `cnf.jkt`, `cnf_jwk`: a `cnf` that was spelt otherwise or flattened. */
const spellsCnf = /^cnf($|[^a-z0-9])/;
const ofCertificate = /cert|tls|x509|x5/;
const digested = /fingerprint|digest|hash|sha256$/;
/** `cnf` is read by itself; an actor's binding is the actor's (RFC 8693 §4.1). */
const aboutOthers: ReadonlySet<string> = new Set(["cnf", "act", "may_act"]);
const malformed: Confirmation = Object.freeze({ kind: "malformed" });
/** A server chose its length. */
const longestName = 32;

/**
 * The bindings that stand outside of `cnf`, beside it or in an object beside it (Hydra's `ext`): each binds, or refuses.
 *
 * Under a name that is understood the value must be a thumbprint (else `malformed`); a name that plainly means a
 * thumbprint and is spelt otherwise is `unsupported`. `null` says nothing.
 *
 * @example statedBindings({ "x5t#S256": "A4Dt…" }, exact) // [{ kind: "certificate", x5tS256: "A4Dt…" }]
 */
export function statedBindings(claims: Members, tolerances: Tolerances): readonly Confirmation[] {
  const stated = statedIn(claims, tolerances);
  for (const [name, value] of Object.entries(claims)) {
    if (aboutOthers.has(name) || !isObject(value)) continue;
    if (name === "ext") stated.push(readConfirmation(value["cnf"]), ...statedIn(value, tolerances));
    // A JWK's thumbprint is of that key's certificate (RFC 7517 §4.9).
    else if (!Object.hasOwn(value, "kty")) stated.push(...plainlyStatedIn(value, tolerances));
  }
  return stated;
}

/** In an object of which nobody knows what it is about: `cnf` by its own name, and what can be a thumbprint alone. */
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
 * A thumbprint without the `=` that base64url has no need of, as far as that is tolerated.
 *
 * @example unpadded("A4Dt…5v0=", { paddedThumbprint: true }) // "A4Dt…5v0"
 */
export function unpadded(value: unknown, { paddedThumbprint }: Pick<Tolerances, "paddedThumbprint">): unknown {
  return paddedThumbprint && typeof value === "string" && value.length === 44 && value.endsWith("=")
    ? value.slice(0, -1)
    : value;
}
