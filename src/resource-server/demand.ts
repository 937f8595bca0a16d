import { optionError } from "../api-client/option-error.ts";
import type { PresentedCertificate, Requirement } from "../oauth/access-token-decision.ts";
import { isThumbprint } from "../oauth/confirmation.ts";

/** What a route demands; without `binding` only a certificate-bound token will do. */
export type RouteRequirement = Omit<Requirement, "binding"> & { readonly binding?: Requirement["binding"] };

/** A certificate as it is handed to `authorize`; `raw` is its DER, which only `decide: "backend"` needs. */
export type Certificate =
  { readonly x5tS256: string; readonly raw?: Uint8Array } | { readonly unreadable: string } | undefined;

const bound: Requirement = Object.freeze({ binding: "required" });
const members = new Set(["scopes", "subject", "resources", "binding"]);

/**
 * Checks a route's requirement and completes it.
 *
 * Throws a `TypeError` with a `code` for anything unknown: a misspelt demand would otherwise be no demand.
 *
 * @example readRequirement({ scopes: ["read"] }) // { scopes: ["read"], binding: "required" }
 */
export function readRequirement(requirement: RouteRequirement | undefined): Requirement {
  if (requirement === undefined) return bound;
  for (const name in requirement) {
    if (!members.has(name)) throw optionError(`requirement.${name}`, "is not known");
  }
  const { scopes, subject, resources, binding = "required" } = requirement;
  if (!isTexts(scopes)) throw optionError("requirement.scopes", "must be an array of strings");
  if (!isTexts(resources)) throw optionError("requirement.resources", "must be an array of strings");
  if (subject !== undefined && typeof subject !== "string") throw optionError("requirement.subject", "must be text");
  if (!(["required", "if-bound"] as unknown[]).includes(binding)) {
    throw optionError("requirement.binding", 'must be "required" or "if-bound"');
  }
  return {
    binding,
    ...(scopes !== undefined && { scopes }),
    ...(subject !== undefined && { subject }),
    ...(resources !== undefined && { resources }),
  };
}

/**
 * Checks that a certificate is one that a source or `readCertificate` made; throws a `TypeError` with a `code`.
 *
 * @example readPresented(tlsSocket()(request))
 */
export function readPresented(certificate: Certificate): PresentedCertificate {
  if (certificate === undefined) return undefined;
  if (typeof certificate === "object" && (certificate as unknown) !== null) {
    if ("unreadable" in certificate) return certificate;
    if (isThumbprint(certificate.x5tS256)) return certificate;
  }
  throw optionError("certificate", "must come from a certificate source or from readCertificate");
}

function isTexts(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.every((one) => typeof one === "string"));
}
