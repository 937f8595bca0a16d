import { z } from "zod";
import { isLoopback, isRedirectUri, isResourceIndicator } from "../../oauth/uri.ts";
import {
  apiNames,
  clientAuthenticationMethods,
  grantTypes,
  macAlgorithms,
  signingAlgorithms,
} from "../../oauth/registered-names.ts";
import { defectOfEndpoint, defectOfIssuer, defectOfRedirectUri, defectOfUrl, firstOutside } from "./explain-uri.ts";

export const clientAuthMethods = apiNames(clientAuthenticationMethods);

export const assertionAlgorithms = [...signingAlgorithms, ...macAlgorithms] as const;

export const id = z.int().positive();
export const flag = z.boolean().default(false);
/** Seconds; the bound keeps every instant that is worked out from it an exact number of milliseconds. */
export const duration = z.int().positive().max(2_147_483_647);
export const grantTypeList = z
  .array(z.enum(apiNames(grantTypes)))
  .min(1)
  .default(["CLIENT_CREDENTIALS"]);
export const attributes = z.array(z.strictObject({ key: z.string(), value: z.string() }));
/** A text of one character class or more; a wrong one is named by its place. */
export const visible = (characterClass: RegExp, must: string) =>
  z
    .string()
    .max(255)
    .refine((text) => text !== "" && firstOutside(text, characterClass) === undefined, {
      error: ({ input }) => withReason(must, defectOfVisible(String(input), characterClass)),
    });

function defectOfVisible(text: string, characterClass: RegExp): string | undefined {
  const odd = firstOutside(text, characterClass);
  return odd === undefined ? "it is empty" : `its character ${odd.at} is none of these`;
}

/** The requirement, and why this value fails it. */
function withReason(must: string, reason: string | undefined): string {
  return reason === undefined ? must : `${must}; ${reason}`;
}

/** RFC 6749 §3.3. */
export const scopeName = visible(
  /[\x21\x23-\x5b\x5d-\x7e]/,
  "must be a scope: visible ASCII without space, quote, backslash",
);

/** RFC 8707 §2. */
export const resource = z.string().refine(isResourceIndicator, {
  error: ({ input }) => withReason("must be an absolute URI without a fragment", defectOfUrl(String(input))),
});

/** RFC 8414 §2: endpoints are on https; on one's own machine plain HTTP will do. */
export const endpoint = z.string().refine(isEndpoint, {
  error: ({ input }) =>
    withReason("must be an https URL without fragment (http only for loopback)", defectOfEndpoint(String(input))),
});

/** RFC 8414 §2. */
export const issuer = z.string().refine(isIssuer, {
  error: ({ input }) =>
    withReason(
      "must be an https URL without query or fragment (http only for loopback)",
      defectOfIssuer(String(input)),
    ),
});

/** RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §2.1: one address, compared as it is. */
export const redirectUri = z
  .string()
  .max(2000)
  .refine(isRegistrable, {
    error: ({ input }) =>
      withReason(
        "must be an https URL, an http URL of a loopback address, or a URI of a private scheme with a dot (com.example.app:/), without fragment or *",
        defectOfRedirectUri(String(input)),
      ),
  });

/** RFC 8414 §2, with plain HTTP for a server on one's own machine. */
function isIssuer(text: string): boolean {
  return isEndpoint(text) && !text.includes("?");
}

function isEndpoint(text: string): boolean {
  if (!URL.canParse(text) || /[#\s]/.test(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== "" || password !== "") return false;
  return protocol === "https:" || (protocol === "http:" && isLoopback(hostname));
}

function isRegistrable(text: string): boolean {
  // Requests may use no other value, so another registered one would be useless.
  if (!isRedirectUri(text) || text.includes("*")) return false;
  return isEndpoint(text) || /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:./.test(text);
}
