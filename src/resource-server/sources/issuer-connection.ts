import { readTls } from "../../api-client/api-connection.ts";
import { BackendAnswerMalformed, BackendUnavailable, BackendUntrusted } from "../../api-client/backend-unavailable.ts";
import { type ExchangeAnswer, type ExchangeRequest, openExchange } from "../../api-client/exchange.ts";
import { ApiError } from "../../api-client/introspection-caller.ts";
import { isMediaType } from "../../api-client/read-answer.ts";
import { optionError } from "../../options/option-error.ts";
import { count, duration } from "../../options/read-number.ts";
import { refuseUnknownOptions } from "../../options/refuse-unknown-options.ts";
import { IntrospectionMalformed, IntrospectionUnavailable } from "../refusal/introspection-unavailable.ts";

/** The connection to the authorization server. */
export interface IssuerConnectionOptions {
  /** Trust anchors for the authorization server instead of the system's, and a certificate to present; PEM text. */
  readonly tls?: { readonly ca?: string | readonly string[]; readonly cert?: string; readonly key?: string };
  /** Milliseconds for one attempt (default 1,000) and for all attempts together (default 2,000). */
  readonly timeout?: { readonly attempt?: number; readonly total?: number };
  /** The maximum number of open connections (default 64). */
  readonly maxSockets?: number;
  /** Allows credentials and tokens over plain HTTP to another machine; only for a network that encrypts by itself. */
  readonly allowInsecure?: boolean;
}

export const issuerConnectionNames = ["tls", "timeout", "maxSockets", "allowInsecure"] as const;

/** Sends requests to an authorization server; rejects with the errors of this library. */
export interface IssuerConnection {
  readonly holdsCertificate: boolean;
  readonly allowInsecure: boolean;
  /** The time for one request with all its attempts, in milliseconds. */
  readonly totalTimeout: number;
  /** Rejects with `IntrospectionUnavailable`, `IntrospectionMalformed` or the signal's reason. */
  send(request: Omit<ExchangeRequest, "idempotent">): Promise<ExchangeAnswer>;
  /** Returns an answer with any status. */
  get(label: string, url: string, mediaTypes: readonly string[]): Promise<ExchangeAnswer>;
  /** Gets JSON; rejects any status but 200 and any other media type. */
  getJson(label: string, url: string, mediaTypes: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

/**
 * Checks a connection's options and opens it; throws a `TypeError` with a `code` that names the wrong one.
 *
 * @example const connection = openIssuerConnection({ tls: { ca } }, undefined)
 */
export function openIssuerConnection(
  { tls = {}, timeout = {}, maxSockets = 64, allowInsecure = false }: IssuerConnectionOptions,
  certificate: { readonly cert: string; readonly key: string } | undefined,
): IssuerConnection {
  if (typeof tls !== "object" || (tls as unknown) === null) throw optionError("tls", "must be an object");
  refuseUnknownOptions(tls, new Set(["ca", "cert", "key"]));
  if (certificate !== undefined && tls.cert !== undefined) {
    throw optionError("tls.cert", "cannot be combined with the certificate of clientAuthentication");
  }
  refuseUnknownOptions(timeout, new Set(["attempt", "total"]));
  if (typeof allowInsecure !== "boolean") throw optionError("allowInsecure", "must be true or false");
  const totalTimeout = duration("timeout.total", timeout.total ?? 2000, 1);
  const exchange = openExchange({
    tls: readTls({ ...tls, ...certificate }),
    totalTimeout,
    attemptTimeout: Math.min(totalTimeout, duration("timeout.attempt", timeout.attempt ?? 1000, 1)),
    maxSockets: count("maxSockets", maxSockets),
  });

  const send: IssuerConnection["send"] = async (request) => {
    try {
      return await exchange.send({ ...request, idempotent: true });
    } catch (error) {
      throw explain(error);
    }
  };
  const get: IssuerConnection["get"] = (label, url, mediaTypes) =>
    send({ label, url, method: "GET", headers: { accept: mediaTypes.join(", ") } });
  return {
    holdsCertificate: certificate !== undefined || tls.cert !== undefined,
    allowInsecure,
    totalTimeout,
    send,
    async getJson(label, url, mediaTypes) {
      return readJson(label, await get(label, url, mediaTypes), mediaTypes);
    },
    get,
    close: () => exchange.close(),
  };
}

/** Returns the body of a JSON answer; throws for any other answer. */
export function readJson(label: string, answer: ExchangeAnswer, mediaTypes: readonly string[]): string {
  if (answer.statusCode !== 200) throw unexpectedStatus(label, answer);
  if (!mediaTypes.some((one) => isMediaType(answer.headers["content-type"], one))) {
    throw new IntrospectionMalformed(`${label}: it is not ${mediaTypes.join(" or ")}`);
  }
  return answer.body;
}

/**
 * Creates the error for a status that is not 200: a redirect or another success is malformed, the rest is an outage.
 */
export function unexpectedStatus(
  label: string,
  { statusCode, headers }: ExchangeAnswer,
): IntrospectionUnavailable | IntrospectionMalformed {
  if (statusCode < 400) return new IntrospectionMalformed(`${label}: it has status ${statusCode}`);
  const { "retry-after": later } = headers;
  const retryAfter = typeof later === "string" && /^\d{1,5}$/.test(later) ? Number(later) : undefined;
  return new IntrospectionUnavailable(`${label}: the authorization server answered ${statusCode}`, {
    cause: asApiError({ statusCode }),
    ...(retryAfter !== undefined && { retryAfter }),
  });
}

/**
 * Creates the error for a failed status, from which a set-up mistake is recognized; `code` is OAuth's, if there is one.
 */
export function asApiError({ statusCode }: Pick<ExchangeAnswer, "statusCode">, code = String(statusCode)): ApiError {
  return new ApiError(statusCode, code, "The authorization server refused.");
}

function explain(error: unknown): unknown {
  if (error instanceof BackendUntrusted) {
    const reason = `the server's certificate is not accepted (${error.code}), and nothing was sent`;
    return new IntrospectionUnavailable(reason, { cause: error });
  }
  if (error instanceof BackendUnavailable) return new IntrospectionUnavailable(asReason(error), { cause: error });
  if (error instanceof BackendAnswerMalformed) return new IntrospectionMalformed(asReason(error), { cause: error });
  return error;
}

/** A reason is part of a sentence. */
function asReason({ message }: Error): string {
  return message.replace(/\.$/, "");
}
