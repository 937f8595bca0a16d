import { readBasicCredentials } from "../oauth/basic-credentials.ts";
import { readForm } from "../oauth/form.ts";
import { printableLine } from "../oauth/printable-line.ts";
import { tellHook } from "../serving/call-harmlessly.ts";
import { readCertificate } from "../x509/read-certificate.ts";
import type { EndpointRequest } from "./endpoint.ts";

/** A refused request, for the operator of a front end. It has no credential in it. */
export interface ClientRefusal {
  readonly endpoint: "authorization" | "token" | "revocation" | "introspection" | "userinfo";
  /** The backend's `action`. */
  readonly action: string;
  /** The backend's code, explained in `docs/result-codes.md`; `undefined` when the front end refused without asking it. */
  readonly resultCode: string | undefined;
  /** The backend's sentence with all its reasons, OpenSSL's for example; for the operator alone. */
  readonly resultMessage: string;
  /** The client id that the request claims, as one bounded line of printable ASCII; it may not be authenticated. */
  readonly clientId: string | undefined;
  /** The thumbprint (`x5t#S256`) of the certificate that came with the request, or `unreadable`. */
  readonly thumbprint: string | undefined;
  /** Where the request came from. */
  readonly address: string | undefined;
}

/** Called for every refusal, and not waited for. If it throws or rejects, the answer stays the same. */
export type OnClientRefusal = (refusal: ClientRefusal) => unknown;

/** The members of an answer of the backend that say what was decided. */
interface Decided {
  readonly action: string;
  readonly resultCode?: string;
  readonly resultMessage: string;
}

const refusals: ReadonlySet<string> = new Set(
  "BAD_REQUEST INVALID_CLIENT UNAUTHORIZED FORBIDDEN INTERNAL_SERVER_ERROR".split(" "),
);
/** The authorization endpoint, too, answers clients of a refused request by sending the browser to them. */
const refusalsOfAuthorization: ReadonlySet<string> = new Set([...refusals, "LOCATION", "FORM"]);
const longestName = 64;
const longestMessage = 600;

/**
 * Calls `onRefusal` if the answer is a refusal. If the hook fails, the process warns.
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

/** The client's own claim, in the places where it may stand: the user id of Basic, the form, the query. */
function clientIdIn({ authorization, body, browser }: EndpointRequest): string | undefined {
  const basic = authorization === undefined ? undefined : readBasicCredentials(authorization, { formDecoded: true });
  const named = basic?.ok === true ? basic.userId : clientIdOf(browser?.query ?? body);
  return named === undefined || named === "" ? undefined : printableLine(named, longestName);
}

/** As the backend reads it: of what is no form, nothing. */
function clientIdOf(form: string): string | undefined {
  const reading = readForm(form, { repeatable: "any" });
  return reading.ok ? reading.form.get("client_id") : undefined;
}

function thumbprintOf(pem: string | undefined): string | undefined {
  if (pem === undefined) return undefined;
  try {
    return readCertificate(pem).x5tS256;
  } catch {
    return "unreadable";
  }
}
