import { setText } from "../../../oauth/json-object.ts";
import { readForm, type Form } from "../../../oauth/form.ts";
import type { TokenRequest } from "../../../contract/auth-token.ts";
import { authenticateClient } from "./authenticate-client.ts";
import type { ClientEndpoint } from "./client-authentication.ts";
import { identifyClient } from "./identify-client.ts";
import { readPresentedCertificate, type CertificateOfRequest } from "./presented-certificate.ts";
import type { NamedClient } from "../settings/find-client.ts";
import type { Service } from "../settings/service-and-client.ts";
import { noteCertificate, noteClient, noteUnknownClient } from "../answer/note-facts.ts";
import { oauthError } from "../answer/oauth-error.ts";
import type { ResultCode } from "../answer/result.ts";
import type { Context } from "../context.ts";

/** The members in which an authorization server forwards a client's request. */
export type ForwardedRequest = Pick<
  TokenRequest,
  "parameters" | "clientId" | "clientSecret" | "clientCertificate" | "clientCertificatePath"
>;

/** The codes of defects in `parameters`; they differ by endpoint. */
export interface ParameterCodes {
  readonly missing: ResultCode;
  readonly empty: ResultCode;
  readonly malformed: ResultCode;
  /** By parameter; a map, because a client chooses the names that are looked up. */
  readonly repeated: ReadonlyMap<string, ResultCode>;
}

/** The codes of repeated client credentials, the same at every endpoint. */
const repeatedCredentials: ReadonlyMap<string, ResultCode> = new Map([
  ["client_assertion", "A244302"],
  ["client_assertion_type", "A158302"],
]);

/** The request names no client, or two. */
const notOneClient: ReadonlySet<ResultCode> = new Set(["A244301", "A244305"]);

export type FormOfRequest = { readonly form: Form } | { readonly error: Refusal };
type Refusal = ReturnType<typeof oauthError<"invalid_request" | "invalid_client" | "server_error">>;

/** Characters. Decoding a mebibyte takes milliseconds, and unauthenticated clients can send it. */
const longestParameters = 65_536;

/** Whether `parameters` are longer than the request of any client, which then is the client's own defect. */
export function areTooLong(parameters: string): boolean {
  return parameters.length > longestParameters;
}

/** Reads the form that a client sent: the API caller's own omission is a server error, everything else the client's. */
export function readForwardedForm(
  service: Service,
  parameters: string | null | undefined,
  codes: ParameterCodes,
  repeatable: readonly string[] = [],
): FormOfRequest {
  if (parameters === undefined || parameters === null) {
    return { error: oauthError(service, "server_error", codes.missing) };
  }
  if (areTooLong(parameters)) {
    return { error: oauthError(service, "invalid_request", codes.malformed, "it is too long") };
  }
  if (parameters.trim() === "") return { error: oauthError(service, "invalid_request", codes.empty) };
  const form = readForm(parameters, { repeatable });
  if (!("error" in form)) return { form };
  const { parameter = "" } = form;
  const repeated =
    form.error === "repeated" ? (codes.repeated.get(parameter) ?? repeatedCredentials.get(parameter)) : undefined;
  const detail = form.parameter === undefined ? form.error : `${form.parameter}: ${form.error}`;
  return { error: oauthError(service, "invalid_request", repeated ?? codes.malformed, detail) };
}

/** A client that has proved who it is, and how it was named. */
export interface AuthenticatedClient extends NamedClient {
  readonly certificate: CertificateOfRequest | undefined;
}

export type ClientOfRequest = AuthenticatedClient | { readonly error: Refusal };

/** The request that a client is authenticated for, however often it is decided over. */
export interface OneRequest {
  readonly endpoint: ClientEndpoint;
  /** 16 random octets, drawn once: taken again, a decision must not find its own assertion used (`newAttempt`). */
  readonly attempt: Uint8Array;
}

/** Identifies the client by its request and authenticates it by its evidence (RFC 6749 §3.2.1, RFC 8705 §2). */
export async function readClientOfRequest(
  context: Context,
  request: ForwardedRequest,
  form: Form,
  { endpoint, attempt }: OneRequest,
): Promise<ClientOfRequest> {
  const { service } = context;
  const basicUserId = setText(request.clientId);
  const certificate = readPresentedCertificate(request.clientCertificate);
  noteCertificate(context, certificate);
  const identified = await identifyClient(context, basicUserId, form);
  if ("error" in identified) {
    noteUnknownClient(context, basicUserId ?? form.get("client_id"));
    const error = notOneClient.has(identified.error) ? "invalid_request" : "invalid_client";
    return { error: oauthError(service, error, identified.error, identified.detail) };
  }
  noteClient(context, identified);
  const evidence = {
    form,
    basicSecret: request.clientSecret ?? undefined,
    certificate,
    certificatePath: request.clientCertificatePath ?? [],
    endpoint,
    attempt,
  };
  const authentication = await authenticateClient(identified.client, evidence, context);
  if (!authentication.authenticated) {
    return { error: oauthError(service, "invalid_client", authentication.code, authentication.detail) };
  }
  return { client: identified.client, clientIdAliasUsed: identified.clientIdAliasUsed, certificate };
}
