import { BackendUnavailable, BackendUntrusted } from "../../api-client/backend-unavailable.ts";
import { ApiError } from "../../api-client/introspection-caller.ts";
import { IntrospectionUnavailable } from "../refusal/introspection-unavailable.ts";

/**
 * `warmUp()` of a resource server failed; the message says what is wrong and which option to check.
 *
 * `code` is that of the warning for the same cause, or `CERTBOUND_BACKEND_FAILED`; the error contains no secrets.
 *
 * @example await resourceServer.warmUp().catch((error) => { console.error(error.message); process.exit(1); })
 */
export class SetupFailure extends Error {
  override readonly name = "SetupFailure";
  readonly code: string;

  constructor(code: string, message: string, options: { readonly cause: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** A mistake in the set-up or an outage: what is wrong, and which option to check. */
export interface SetupCause {
  readonly code: SetupCode;
  readonly message: string;
}

/** The option by which an issuer is configured. */
export type IssuerOption = "backend" | "source";

/** Problems between an API and its issuer; stable, for logs and alarms. */
type SetupCode =
  /** Nothing listens at the address, or the name is unknown. */
  | "CERTBOUND_BACKEND_UNREACHABLE"
  /** The option says https, and the server does not use TLS. */
  | "CERTBOUND_BACKEND_WITHOUT_TLS"
  /** The server closes the connection without an answer, as a TLS server does for plain HTTP. */
  | "CERTBOUND_BACKEND_HANGS_UP"
  /** It does not answer in time. */
  | "CERTBOUND_BACKEND_SILENT"
  /** Its certificate is not accepted. */
  | "CERTBOUND_BACKEND_UNTRUSTED"
  /** It rejects the credentials of this API. */
  | "CERTBOUND_BACKEND_REFUSES"
  /** The path is unknown: another server listens at the address. */
  | "CERTBOUND_BACKEND_NOT_THERE";

const nobody = new Set("ECONNREFUSED ENOENT ENOTFOUND EAI_AGAIN ENETUNREACH EHOSTUNREACH EADDRNOTAVAIL".split(" "));
const hungUp = new Set("ECONNRESET EPIPE ECONNABORTED".split(" "));
/** OpenSSL's messages for a peer that does not use TLS. */
const noTls = /wrong[ _]version[ _]number|packet length too long|http[ _]request|unexpected message/i;

/** The names of the options for an issuer. */
interface Options {
  readonly address: string;
  readonly authority: string;
  readonly timeout: string;
  readonly identity: string;
  readonly path: string;
}

const optionsOf: Readonly<Record<IssuerOption, Options>> = {
  backend: {
    address: "backend.baseUrl",
    authority: "backend.tls.ca",
    timeout: "backend.timeout",
    identity: "backend.serviceId and backend.credentials",
    path: "backend.baseUrl: everything before /api",
  },
  source: {
    address: "the source's url, issuer or jwksUri",
    authority: "the source's tls.ca",
    timeout: "the source's timeout",
    identity: "the source's clientAuthentication",
    path: "the source's url, issuer or jwksUri",
  },
};

/**
 * Returns what a failed request to an issuer says about the set-up; `undefined` for another kind of outage, a full
 * queue for example.
 *
 * @example causeOf(error, "backend")?.code // "CERTBOUND_BACKEND_UNREACHABLE"
 */
export function causeOf(error: unknown, option: IssuerOption): SetupCause | undefined {
  const options = optionsOf[option];
  if (error instanceof ApiError) return refused(error, options);
  if (error instanceof BackendUntrusted) {
    const advice = `Give its authority in ${options.authority}, and call it by a name that its certificate has (${options.address})`;
    return cause("CERTBOUND_BACKEND_UNTRUSTED", `presents a certificate that is not accepted (${error.code})`, advice);
  }
  if (error instanceof BackendUnavailable) return unavailable(error, options);
  if (error instanceof IntrospectionUnavailable && waitedTooLong.test(error.reason)) return silent(options);
  return error instanceof Error && error.cause !== undefined ? causeOf(error.cause, option) : undefined;
}

function refused({ status, resultCode }: ApiError, { identity, path }: Options): SetupCause | undefined {
  if (status === 401 || status === 403 || resultCode === "invalid_client") {
    const what = `does not accept this API as its caller (HTTP ${status})`;
    return cause("CERTBOUND_BACKEND_REFUSES", what, `Compare ${identity} with its configuration`);
  }
  if (status !== 404 && status !== 405) return undefined;
  // Not its message: an unknown server may repeat the request in it.
  const what = `does not know the request (HTTP ${status})`;
  return cause("CERTBOUND_BACKEND_NOT_THERE", what, `Check ${path}`);
}

function unavailable({ code, cause: below }: BackendUnavailable, options: Options): SetupCause | undefined {
  const { address } = options;
  const words = below instanceof Error ? below.message.slice(0, 200) : "";
  if (nobody.has(code)) {
    const what = `cannot be reached (${words === "" ? code : words})`;
    return cause("CERTBOUND_BACKEND_UNREACHABLE", what, `Start it, or check host and port of ${address}`);
  }
  if (noTls.test(`${code} ${words}`)) {
    const advice = `If it uses plain HTTP on this machine, write http: in ${address}; otherwise enable TLS there`;
    return cause("CERTBOUND_BACKEND_WITHOUT_TLS", "does not use TLS, and is called by https:", advice);
  }
  if (hungUp.has(code)) {
    const advice = `If it uses TLS, write https: in ${address}`;
    return cause("CERTBOUND_BACKEND_HANGS_UP", `closes connections without an answer (${code})`, advice);
  }
  return code === "ETIMEDOUT" ? silent(options) : undefined;
}

/** The resource server's own timeout may end just before the connection's. */
const waitedTooLong = /^no answer within \d+ ms$/;

function silent({ timeout }: Options): SetupCause {
  return cause("CERTBOUND_BACKEND_SILENT", "does not answer in time", `Check its log and ${timeout}`);
}

function cause(code: SetupCode, what: string, advice: string): SetupCause {
  return { code, message: `The issuer of access tokens ${what}: requests are refused with 503. ${advice}.` };
}
