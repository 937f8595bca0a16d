import type { Prompt } from "../../../oauth/openid-parameters.ts";
import type { ResponseTarget } from "./authorization-answer.ts";

/** An accepted authorization request; stored as JSON text with its ticket. */
export interface TicketRequest {
  /**
   * As in the request, because the exchange must repeat it; `undefined` when the request has none (RFC 6749 §4.1.3).
   */
  readonly redirectUri?: string | undefined;
  readonly target: ResponseTarget;
  readonly scopes: readonly string[];
  /** The `resource` parameters (RFC 8707 §2.1). */
  readonly resources: readonly string[];
  readonly codeChallenge?: string | undefined;
  readonly authentication: AuthenticationRequest;
}

/** How the user is to be authenticated and asked, and which claims the client wants (OpenID Connect Core §3.1.2.1). */
export interface AuthenticationRequest {
  readonly nonce?: string | undefined;
  readonly display: Display;
  readonly loginHint?: string | undefined;
  readonly uiLocales: readonly string[];
  readonly claimsLocales: readonly string[];
  readonly prompts: readonly Prompt[];
  /** Seconds; 0: authenticate now. */
  readonly maxAge?: number | undefined;
  readonly authTimeEssential: boolean;
  readonly acrs: readonly string[];
  readonly acrEssential: boolean;
  /** The one user that will do. */
  readonly subject?: string | undefined;
  /** Names of requested ID token claims whose values the API caller provides. */
  readonly idTokenClaimNames: readonly string[];
  /** The same for the `userinfo` half of `claims`. */
  readonly userInfoClaimNames: readonly string[];
  readonly idTokenClaims?: string | undefined;
  readonly userInfoClaims?: string | undefined;
}

export type Display = "page" | "popup" | "touch" | "wap";

export function writeTicketRequest(request: TicketRequest): string {
  return JSON.stringify(request);
}

/** The reverse of {@link writeTicketRequest}. */
export function readTicketRequest(text: string): TicketRequest {
  return JSON.parse(text) as TicketRequest;
}
