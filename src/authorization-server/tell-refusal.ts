import { readBasicCredentials } from "../oauth/authorization-header.ts";
import { printableLine } from "../oauth/error-text.ts";
import { readForm } from "../oauth/form.ts";
import { tellHook } from "../serving/call-harmlessly.ts";
import { readCertificate } from "../x509/read-certificate.ts";
import type { EndpointRequest } from "./endpoint.ts";

/** A rejected request, for the operator of a front end. It contains no credentials. */
export interface ClientRefusal {
  readonly endpoint: "authorization" | "token" | "revocation" | "introspection" | "userinfo";
  /** The backend's `action`. */
  readonly action: string;
  /** The backend's code, explained in `docs/result-codes.md`; `undefined` if the front end rejected the request itself. */
  readonly resultCode: string | undefined;
  /** The backend's message with all details, such as OpenSSL's; for the operator only. */
  readonly resultMessage: string;
  /** The client id in the request, as one short line of printable ASCII; possibly not authenticated. */
  readonly clientId: string | undefined;
  /** The thumbprint (`x5t#S256`) of the request's certificate, or `unreadable`. */
  readonly thumbprint: string | undefined;
  /** The client's address. */
  readonly address: string | undefined;
}

/** Called for every rejected request, without waiting. If it throws or rejects, the response stays the same. */
export type OnClientRefusal = (refusal: ClientRefusal) => unknown;

/** The members of the backend's answer about its decision. */
interface Decided {
  readonly action: string;
  readonly resultCode?: string;
  readonly resultMessage: string;
}

const refusals: ReadonlySet<string> = new Set(
  "BAD_REQUEST INVALID_CLIENT UNAUTHORIZED FORBIDDEN INTERNAL_SERVER_ERROR".split(" "),
);
/** The authorization endpoint also reports errors to clients by redirecting the browser. */
const refusalsOfAuthorization: ReadonlySet<string> = new Set([...refusals, "LOCATION", "FORM"]);
const longestName = 64;
const longestMessage = 600;

/**
 * Calls `onRefusal` if the request was rejected. If the hook fails, the process warns.
 *
 * @example tellRefusal(onRefusal, "token", request, await backend.authToken(members))
 */
export function tellRefusal(
  onRefusal: OnClientRefusal | undefined,
  endpoint: ClientRefusal["endpoint"],
  request: EndpointRequest,
  { action, resultCode, resultMessage }: Decided,
): void {
  if (onRefusal === undefined) return;
  if (!(endpoint === "authorization" ? refusalsOfAuthorization : refusals).has(action)) return;
  const refusal: ClientRefusal = {
    endpoint,
    action,
    resultCode,
    resultMessage: printableLine(resultMessage, longestMessage),
    clientId: clientIdIn(request),
    thumbprint: thumbprintOf(request.clientCertificate),
    address: request.address,
  };
  tellHook("onRefusal", onRefusal, refusal);
}

/** The client id that the request claims: the user id of Basic, or `client_id` in form or query. */
function clientIdIn({ authorization, body, browser }: EndpointRequest): string | undefined {
  const basic = authorization === undefined ? undefined : readBasicCredentials(authorization, { formDecoded: true });
  const named = basic === undefined || "error" in basic ? clientIdOf(browser?.query ?? body) : basic.userId;
  return named === undefined || named === "" ? undefined : printableLine(named, longestName);
}

/** Like the backend, reads nothing from a malformed form. */
function clientIdOf(text: string): string | undefined {
  const form = readForm(text, { repeatable: "any" });
  return "error" in form ? undefined : form.get("client_id");
}

function thumbprintOf(pem: string | undefined): string | undefined {
  if (pem === undefined) return undefined;
  try {
    return readCertificate(pem).x5tS256;
  } catch {
    return "unreadable";
  }
}
