import { BackendUnavailable } from "../../api-client/backend-unavailable.ts";
import { BackendUntrusted } from "../../api-client/backend-untrusted.ts";
import { ApiError } from "../../api-client/introspection-caller.ts";
import { IntrospectionUnavailable } from "../introspection-unavailable.ts";

/** A mistake in the set-up, or an outage, as the operator is told of it: what is wrong, and which option to look at. */
export interface SetupCause {
  readonly code: SetupCode;
  readonly message: string;
}

/** What is wrong between an API and its issuer; stable, for logs and alarms. */
export type SetupCode =
  /** Nothing listens there, or the name is unknown. */
  | "CERTBOUND_BACKEND_UNREACHABLE"
  /** The option says https, and whatever listens there does not speak TLS. */
  | "CERTBOUND_BACKEND_WITHOUT_TLS"
  /** The connection is closed before there is an answer: as a TLS server does to plain HTTP. */
  | "CERTBOUND_BACKEND_HANGS_UP"
  /** It does not answer in time. */
  | "CERTBOUND_BACKEND_SILENT"
  /** Its certificate is not accepted. */
  | "CERTBOUND_BACKEND_UNTRUSTED"
  /** It does not accept who asks. */
  | "CERTBOUND_BACKEND_REFUSES"
  /** There is no such path: something else listens there. */
  | "CERTBOUND_BACKEND_NOT_THERE";

const nobody = new Set("ECONNREFUSED ENOENT ENOTFOUND EAI_AGAIN ENETUNREACH EHOSTUNREACH EADDRNOTAVAIL".split(" "));
const hungUp = new Set("ECONNRESET EPIPE ECONNABORTED".split(" "));
/** OpenSSL's words for a peer that answers a handshake with something else. */
const noTls = /wrong[ _]version[ _]number|packet length too long|http[ _]request|unexpected message/i;

/**
 * What a failed question to an issuer says of the set-up; `undefined` for what is an outage of another kind, a full queue
 * for example.
 *
 * @example causeOf(error)?.code // "CERTBOUND_BACKEND_UNREACHABLE"
 */
export function causeOf(error: unknown): SetupCause | undefined {
  if (error instanceof ApiError) return refused(error);
  if (error instanceof BackendUntrusted) {
    return cause("CERTBOUND_BACKEND_UNTRUSTED", `shows a certificate that is not accepted (${error.code})`, untrusted);
  }
  if (error instanceof BackendUnavailable) return unavailable(error);
  if (error instanceof IntrospectionUnavailable && waitedTooLong.test(error.reason)) return silent;
  return error instanceof Error && error.cause !== undefined ? causeOf(error.cause) : undefined;
}

const untrusted =
  "Give its authority in tls.ca (backend.tls.ca), and call it by a name that its certificate has (backend.baseUrl)";

function refused({ status, resultMessage }: ApiError): SetupCause | undefined {
  if (status === 401 || status === 403) {
    const what = `does not accept this API as its caller (HTTP ${status})`;
    return cause(
      "CERTBOUND_BACKEND_REFUSES",
      what,
      "Compare backend.serviceId and backend.credentials with its configuration",
    );
  }
  if (status !== 404 && status !== 405) return undefined;
  const what = `does not know the request (HTTP ${status}, ${resultMessage.slice(0, 100)})`;
  return cause("CERTBOUND_BACKEND_NOT_THERE", what, "Look at backend.baseUrl: everything before /api");
}

function unavailable({ code, cause: below }: BackendUnavailable): SetupCause | undefined {
  const words = below instanceof Error ? below.message.slice(0, 200) : "";
  if (nobody.has(code)) {
    const what = `cannot be reached (${words === "" ? code : words})`;
    return cause("CERTBOUND_BACKEND_UNREACHABLE", what, "Start it, or look at host and port of backend.baseUrl");
  }
  if (noTls.test(`${code} ${words}`)) {
    const advice = "If it speaks plain HTTP on this machine, write http: in backend.baseUrl; else let it speak TLS";
    return cause("CERTBOUND_BACKEND_WITHOUT_TLS", "does not speak TLS, and backend.baseUrl begins with https", advice);
  }
  if (hungUp.has(code)) {
    const advice = "If it speaks TLS, write https: in backend.baseUrl";
    return cause("CERTBOUND_BACKEND_HANGS_UP", `closes connections without an answer (${code})`, advice);
  }
  return code === "ETIMEDOUT" ? silent : undefined;
}

/** The resource server's own waiting may end just before the connection's. */
const waitedTooLong = /^no answer within \d+ ms$/;
const silent = cause("CERTBOUND_BACKEND_SILENT", "does not answer in time", "Look at its log and at backend.timeout");

function cause(code: SetupCode, what: string, advice: string): SetupCause {
  return { code, message: `The issuer of access tokens ${what}: requests are refused with 503. ${advice}.` };
}
