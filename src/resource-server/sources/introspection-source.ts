import { randomBytes } from "node:crypto";
import { readEndpointUrl } from "../../api-client/api-connection.ts";
import type { ExchangeAnswer } from "../../api-client/exchange.ts";
import { isMediaType } from "../../api-client/read-answer.ts";
import { optionError } from "../../options/option-error.ts";
import { refuseUnknownOptions } from "../../options/refuse-unknown-options.ts";
import { IntrospectionMalformed, IntrospectionUnavailable } from "../refusal/introspection-unavailable.ts";
import { answeredAtByDate, answeredAtByLife, latestOf } from "./answered-at.ts";
import { type ClientAuthentication, readAuthentication } from "./client-authentication.ts";
import { type DialectName, readDialect, type Tolerances } from "./dialects.ts";
import { checkIssuerIdentifier, discover } from "./discovery.ts";
import type { FactsAnswer, FactsSource } from "./facts-source.ts";
import type { Ambient } from "../environment.ts";
import { parseJson, readIntrospection, type TokenRecord } from "./introspection-answer.ts";
import {
  asApiError,
  issuerConnectionNames,
  type IssuerConnectionOptions,
  openIssuerConnection,
  unexpectedStatus,
} from "./issuer-connection.ts";
import { openKeyRing } from "./issuer-keys.ts";
import { type SignedAnswer, type SignedAnswerOptions, signedAnswers, signedAnswerType } from "./signed-answer.ts";

/** An introspection endpoint (RFC 7662), given by its `url` or by the `issuer` whose metadata has it (RFC 8414). */
export interface IntrospectionEndpointOptions extends IssuerConnectionOptions {
  readonly url?: string;
  /** The issuer identifier; an answer of another issuer is rejected. */
  readonly issuer?: string;
  readonly clientAuthentication: ClientAuthentication;
  /** How its answers differ from the RFC (default `rfc7662`: not at all). */
  readonly dialect?: DialectName | Partial<Tolerances>;
  /** Requires signed answers (RFC 9701). */
  readonly signed?: SignedAnswerOptions;
  /** `true`: an answer with `Cache-Control: no-store` is not cached. Default: the header is ignored. */
  readonly honorNoStore?: boolean;
}

const names = new Set([
  ...issuerConnectionNames,
  ...["url", "issuer", "clientAuthentication", "dialect", "signed", "honorNoStore"],
]);

const label = "introspection";

/**
 * Creates the source over an introspection endpoint with this clock and randomness; see `introspectionEndpoint`.
 *
 * @example const source = createIntrospectionSource(options, { clock: Date.now, randomBytes })
 */
export function createIntrospectionSource(options: IntrospectionEndpointOptions, ambient: Ambient): FactsSource {
  if (typeof options !== "object" || (options as unknown) === null) throw optionError("options", "must be an object");
  refuseUnknownOptions(options, names);
  const { url, issuer, signed, honorNoStore = false } = options;
  if (typeof honorNoStore !== "boolean") throw optionError("honorNoStore", "must be true or false");
  const tolerances = readDialect(options.dialect);
  const authenticator = readAuthentication(options.clientAuthentication, ambient);
  const { allowInsecure = false } = options;
  if (url !== undefined) readEndpointUrl("url", url, allowInsecure);
  if (issuer !== undefined) checkIssuerIdentifier(issuer, { fetched: url === undefined, allowInsecure });
  if (url === undefined && issuer === undefined) throw optionError("url", "is required, or issuer");
  const { clientAuthentication } = options;
  if (
    clientAuthentication.method === "private_key_jwt" &&
    clientAuthentication.audience === "issuer" &&
    issuer === undefined
  ) {
    throw optionError("clientAuthentication.audience", "requires the issuer");
  }
  const connection = openIssuerConnection(options, authenticator.certificate);
  const discovery = url === undefined && issuer !== undefined ? discover(issuer, connection) : undefined;
  const { clientId } = authenticator;
  const readSigned =
    signed && signedAnswers(signed, { issuer, clientId }, (keys) => openKeyRing(keys, connection, discovery), ambient);

  async function send(token: string, signal: AbortSignal): Promise<ExchangeAnswer> {
    const endpoint = url ?? (await discovery?.endpoint("introspection_endpoint")) ?? "";
    const body = async (): Promise<string> => {
      const members = await authenticator.parameters({ issuer, endpoint });
      return new URLSearchParams({ token, token_type_hint: "access_token", ...members }).toString();
    };
    return connection.send({
      label,
      url: endpoint,
      method: "POST",
      headers: {
        ...authenticator.headers,
        accept: readSigned === undefined ? "application/json" : signedAnswerType,
        "content-type": "application/x-www-form-urlencoded",
      },
      body: await body(),
      anotherBody: body,
      signal,
    });
  }

  async function read(answer: ExchangeAnswer): Promise<Partial<SignedAnswer>> {
    const { statusCode, headers, body } = answer;
    if (statusCode !== 200) throw failure(answer);
    const type = headers["content-type"];
    if (readSigned !== undefined) {
      // A plain answer would be a downgrade: an intermediary could have written it (RFC 9701 §4).
      if (!isMediaType(type, signedAnswerType)) throw new IntrospectionMalformed("it is not signed, and must be");
      return readSigned(body);
    }
    if (!isMediaType(type, "application/json")) throw new IntrospectionMalformed("it is not application/json");
    return { answer: parseJson(body) };
  }

  return {
    issuer,
    async ask(token, { signal }): Promise<FactsAnswer> {
      const answer = await send(token, signal);
      const { answer: said, answeredAt } = await read(answer);
      const record = readIntrospection(said, tolerances);
      const named = "accessToken" in record ? record.accessToken.issuer : undefined;
      if (issuer !== undefined && named !== undefined && named !== issuer) {
        throw new IntrospectionMalformed("its iss is another issuer");
      }
      return {
        record,
        answeredAt: latestOf(answeredAt, answeredAtByDate(answer.headers), byLife(record)),
        invalidationKeys: [],
        size: answer.body.length,
        reusable: !(honorNoStore && hasNoStore(answer.headers["cache-control"])),
      };
    },
    close: () => connection.close(),
  };
}

/** Some servers include the remaining time in the answer (`expires_in`, RFC 6749 §5.1): a number, or decimal text. */
function byLife(record: TokenRecord): number | undefined {
  if (!("accessToken" in record) || record.facts.exp === undefined) return undefined;
  const { expires_in: left } = record.accessToken.claims;
  const seconds = typeof left === "string" && /^\d{1,10}$/.test(left) ? Number(left) : left;
  return answeredAtByLife("expires_in", record.facts.exp * 1000, seconds);
}

/** Reports OAuth error codes to the operator: `invalid_client` means that our credentials are wrong. */
function failure(answer: ExchangeAnswer): IntrospectionUnavailable | IntrospectionMalformed {
  const error = errorCode(answer);
  if (answer.statusCode === 401 || answer.statusCode === 403 || error === "invalid_client") {
    const told = error === undefined ? "" : `, ${error}`;
    return new IntrospectionUnavailable(
      `the authorization server does not accept this resource server's own credentials (${answer.statusCode}${told})`,
      { cause: asApiError(answer, error) },
    );
  }
  const told = error === undefined ? label : `${label}: ${error}`;
  return unexpectedStatus(told, answer);
}

function errorCode({ body }: ExchangeAnswer): string | undefined {
  try {
    const { error } = JSON.parse(body) as { error?: unknown };
    return typeof error === "string" && /^[a-z_]{1,40}$/.test(error) ? error : undefined;
  } catch {
    return undefined;
  }
}

function hasNoStore(cacheControl: string | string[] | undefined): boolean {
  const directives = String(cacheControl ?? "")
    .toLowerCase()
    .split(",");
  return directives.some((one) => one.trim() === "no-store");
}

/**
 * Creates a source over any introspection endpoint (RFC 7662), given by its `url` or by the `issuer` whose metadata has
 * it (RFC 8414).
 *
 * Only the endpoint's answer counts: another status than 200, another media type, a redirect, a truncated or late
 * answer is an outage, never "not active". Throws a `TypeError` with a `code` for wrong options.
 *
 * @example const clientAuthentication = { method: "client_secret_basic", clientId: "api", clientSecret } as const;
 * createResourceServer({ source: introspectionEndpoint({ url, clientAuthentication, dialect: "wso2" }) })
 */
export function introspectionEndpoint(options: IntrospectionEndpointOptions): FactsSource {
  return createIntrospectionSource(options, { clock: Date.now, randomBytes });
}
