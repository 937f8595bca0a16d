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
const malformed: Confirmation = Object.freeze({ kind: "malformed" });
/** A server chose its length. */
const longestName = 32;

/**
 * The bindings that stand outside of `cnf`, beside it or in Hydra's `ext`: each binds, or refuses.
 *
 * Under a name that is understood the value must be a thumbprint (else `malformed`); a name that plainly means a
 * thumbprint and is spelt otherwise is `unsupported`. `null` says nothing.
 *
 * @example statedBindings({ "x5t#S256": "A4Dt…" }, exact) // [{ kind: "certificate", x5tS256: "A4Dt…" }]
 */
export function statedBindings(claims: Members, tolerances: Tolerances): readonly Confirmation[] {
  const { ext } = claims;
  const inExt = isObject(ext) ? [readConfirmation(ext["cnf"]), ...statedIn(ext, tolerances)] : [];
  return [...statedIn(claims, tolerances), ...inExt];
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
  return letters.includes("fingerprint") && ofCertificate.test(letters);
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
