import type { ClaimWish } from "../../../oauth/claims-request.ts";
import type { Service } from "../management/settings-memo.ts";
import type { AuthorizationRefusal } from "./authorization-answer.ts";

/** The authentication context classes that a request asks for, the preferred one first. */
export interface RequestedAcrs {
  readonly acrs: readonly string[];
  readonly acrEssential: boolean;
}

/**
 * Decides over `acr_values`, and over the claim `acr`, which says more when it has values (OpenID Connect Core §5.5.1.1).
 *
 * Classes that the service does not support are dropped; a request of which none is left is refused.
 */
export function requestedAcrs(
  { settings }: Service,
  acrValues: readonly string[],
  wish: ClaimWish | undefined,
): RequestedAcrs | { readonly refusal: AuthorizationRefusal } {
  const wished = wish?.values ?? [];
  if (!wished.every((value) => typeof value === "string")) {
    return { refusal: { error: "invalid_request", code: "A022303" } };
  }
  const acrEssential = wish?.essential ?? false;
  const asked = wished.length > 0 ? [...new Set(wished)] : acrValues;
  const acrs = asked.filter((acr) => settings.supportedAcrs.includes(acr));
  if (asked.length > 0 && acrs.length === 0) {
    const error = acrEssential ? "unmet_authentication_requirements" : "invalid_request";
    return { refusal: { error, code: settings.supportedAcrs.length === 0 ? "A021303" : "A021304" } };
  }
  return { acrs, acrEssential };
}
