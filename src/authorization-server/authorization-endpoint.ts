import { randomBytes } from "node:crypto";
import type { AuthorizationResponse } from "../contract/auth-authorization.ts";
import type { Operations } from "../contract/operations.ts";
import { readForm } from "../oauth/form.ts";
import { scopeClaims } from "../oauth/openid-parameters.ts";
import { optionError } from "../options/option-error.ts";
import { askBackend, failureStatus, type OnBackendFailure, onBehalfOf, tellFailure } from "./ask-backend.ts";
import {
  answer,
  type BrowserRequest,
  type Endpoint,
  type EndpointAnswer,
  type EndpointRequest,
  oauthErrorAnswer,
  refuseUnless,
  refuseUnlessFormBody,
} from "./endpoint.ts";
import {
  isFromElsewhere,
  type AskedAuthorization,
  createSealedState,
  type Sealing,
} from "./interaction/browser-state.ts";
import { type Consents, createInteractionFlow } from "./interaction/interaction-flow.ts";
import { createInteractionPages, formPostAnswer, redirectAnswer, sourceOf } from "./interaction/interaction-pages.ts";
import { createLoginTries } from "./interaction/login-tries.ts";
import type { Pages, ClientView, ScopeView } from "./interaction/pages.ts";
import { createTicketEnds } from "./interaction/ticket-ends.ts";
import { type OnClientRefusal, tellRefusal } from "./tell-refusal.ts";
import type { Users } from "./users.ts";

/**
 * Creates the authorization endpoint (RFC 6749 §3.1), with login, consent and session.
 *
 * You provide the pages and the user table. Tickets never reach the browser unencrypted, a page works only in the browser
 * that it was made for, several tabs work side by side, and the nodes are stateless. Do not request client certificates
 * here, because browsers would ask their users for one. Throws a `TypeError` with a `code` for wrong options.
 *
 * @example nodeHandler({ "/authorize": authorizationEndpoint({ backend, users, pages, cookieKey }) })
 */
export function authorizationEndpoint(options: AuthorizationEndpointOptions): Endpoint {
  return openAuthorization(options, { clock: Date.now, random: randomBytes, sealing: joseSealing });
}

/** Loads jose when the first page is created. */
function joseSealing(key: Uint8Array): Sealing {
  const load = () => import("../jose/sealed-json.ts");
  return {
    seal: async (value, purpose) => (await load()).sealJson(value, key, purpose),
    open: async (text, purpose) => (await load()).openSealedJson(text, key, purpose),
  };
}

/** The options of `authorizationEndpoint`. */
export interface AuthorizationEndpointOptions {
  readonly backend: Pick<
    Operations,
    "authAuthorization" | "authAuthorizationTicketInfo" | "authAuthorizationIssue" | "authAuthorizationFail"
  >;
  readonly users: Users;
  readonly pages: Pages;
  /** 32 octets that encrypt cookies and form state; the same on every node. Changing it logs all users out. */
  readonly cookieKey: Uint8Array;
  /**
   * Remembers consents. Without it users are asked each time, and `prompt=none` never succeeds. A client whose redirect
   * URI is not `https` is always asked for consent, because any program can claim its name (RFC 6749 §10.2).
   */
  readonly consents?: Consents;
  /** How long a login lasts, in seconds; default: 8 hours. */
  readonly sessionDuration?: number;
  /**
   * Sites that clients redirect to from their redirect URIs, as sources of a Content-Security-Policy. Chromium blocks
   * redirects after a form to sites that the page does not name. Default: `["https:"]`, any site over TLS. With `[]`
   * clients cannot redirect further.
   */
  readonly formTargets?: readonly string[];
  /** Called with the reason if the backend, the user table or a page fails. */
  readonly onBackendFailure?: OnBackendFailure;
  /** Called with the reason for each authorization request that the backend rejected. */
  readonly onRefusal?: OnClientRefusal;
}

/** Dependencies of the endpoint besides its options. */
export interface AuthorizationDependencies {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly random: (octets: number) => Buffer;
  readonly sealing: (key: Uint8Array) => Sealing;
}

const eightHours = 28_800;

/** Login attempts for one form; then its authorization ends. */
const mostTries = 10;

/** Number of forms whose attempts are counted at a time. */
const mostCounted = 10_000;

/** A POST request is redirected to GET, whose request line is limited. In characters. */
const longestQuery = 8192;

/** The field of our own forms, as browsers encode it. */
const hasInteraction = /(?:^|&)interaction=/;

/** Characters not allowed in a query (RFC 3986 §3.4), except percent signs, even malformed ones. */
const beyondQuery = /[^\x21-\x7E]|["#<>[\\\]^`{|}]/gu;

/** Creates the authorization endpoint with these dependencies. */
export function openAuthorization(
  options: AuthorizationEndpointOptions,
  { clock, random, sealing }: AuthorizationDependencies,
): Endpoint {
  const { backend, users, consents, cookieKey, sessionDuration = eightHours, formTargets = ["https:"] } = options;
  const { onBackendFailure, onRefusal } = options;
  if (!(cookieKey instanceof Uint8Array) || cookieKey.length !== 32)
    throw optionError("cookieKey", "must be 32 octets");
  if (!Number.isSafeInteger(sessionDuration) || sessionDuration < 0) {
    throw optionError("sessionDuration", "must be a number of seconds");
  }
  const now = (): number => Math.floor(clock() / 1000);
  const tell = (error: unknown): void => {
    tellFailure(onBackendFailure, error);
  };
  const pages = createInteractionPages(options.pages, formTargets, tell);
  const flow = createInteractionFlow({
    users,
    consents,
    state: createSealedState(sealing(cookieKey), { now, sessionLifetime: sessionDuration }),
    pages,
    ends: createTicketEnds(backend, pages, tell),
    tries: createLoginTries({ most: mostTries, maxForms: mostCounted }),
    now,
    random: () => random(32).toString("base64url"),
  });

  /** If the backend or the user table fails, shows a page that asks the user to try again later. */
  async function orTryLater(step: Promise<EndpointAnswer>): Promise<EndpointAnswer> {
    try {
      return await step;
    } catch (error) {
      tell(error);
      return pages.message("unavailable", failureStatus(error));
    }
  }

  /** The response to each action (Authlete's API; RFC 9700 §2.1 for the redirect). */
  const actions = {
    INTERACTION: (response, asker) => begin(response, asker, true),
    NO_INTERACTION: (response, asker) => begin(response, asker, false),
    LOCATION: ({ responseContent = "" }) => redirectAnswer(responseContent),
    FORM: ({ responseContent = "" }) => formPostAnswer(responseContent),
    BAD_REQUEST: ({ responseContent }) => answer(400, responseContent),
    INTERNAL_SERVER_ERROR: ({ responseContent }) => answer(500, responseContent),
  } satisfies Record<
    AuthorizationResponse["action"],
    (response: AuthorizationResponse, asker: BrowserRequest) => EndpointAnswer | Promise<EndpointAnswer>
  >;

  function begin(response: AuthorizationResponse, { query, cookie }: BrowserRequest, interactive: boolean) {
    return orTryLater(flow.begin(askedAuthorization(response, query), cookie, { interactive }));
  }

  const serve = async (request: EndpointRequest): Promise<EndpointAnswer> => {
    const { body, method, address, browser = { query: "" } } = request;
    if (method === "POST") {
      if (!hasInteraction.test(body)) return redirectToQuery(body);
      if (isFromElsewhere(browser)) return pages.message("not_usable", 403);
      const form = readForm(body, { repeatable: "any" });
      if ("error" in form) return pages.message("not_usable", 400);
      return orTryLater(flow.resume(form, { cookie: browser.cookie, address }));
    }
    return askBackend(
      () => backend.authAuthorization({ parameters: browser.query }, onBehalfOf(request)),
      onBackendFailure,
      (response) => {
        tellRefusal(onRefusal, "authorization", request, response);
        return actions[response.action](response, browser);
      },
    );
  };

  return Object.assign<Endpoint, { forBrowsers: true }>(
    async (request) => {
      const refusal =
        refuseUnless("GET, POST", request) ?? (request.method === "POST" ? refuseUnlessFormBody(request) : undefined);
      return refusal ?? serve(request);
    },
    { forBrowsers: true },
  );
}

/**
 * An authorization request may use POST (OpenID Connect Core §3.1.2.1). A POST from another site has no cookies, but the
 * GET after the redirect does. Malformed requests stay malformed, so that the backend rejects them.
 */
function redirectToQuery(body: string): EndpointAnswer {
  const sent = body.trimEnd();
  // Checked before encoding, too, because encoding is expensive for long requests and only makes them longer.
  const query = sent.length > longestQuery ? sent : sent.toWellFormed().replace(beyondQuery, encodeURIComponent);
  if (query.length > longestQuery) return oauthErrorAnswer(400, "invalid_request", "The request is too long.");
  return redirectAnswer(`?${query}`);
}

/** The parts of the backend's answer that pages and decisions need. */
function askedAuthorization(response: AuthorizationResponse, parameters: string): AskedAuthorization {
  const { ticket = "", prompts = [], maxAge = 0, acrs = [], acrEssential = false, subject, loginHint } = response;
  // Without `maxAgeRequested`, 0 means "not requested" (Authlete's API).
  const hasMaxAge = response.maxAgeRequested === true || maxAge > 0;
  const scopes = (response.scopes ?? []).map(scopeView);
  const names = scopes.map(({ name }) => name);
  const { claims = [], claimsAtUserInfo = [], userInfoClaims } = response;
  const ofScopes = new Set(scopeClaims(names));
  const claimsByName = [...new Set([...claims, ...claimsAtUserInfo])].filter((name) => !ofScopes.has(name));
  // The backend has already checked the redirect URI against the client's registration.
  const form = readForm(parameters, { repeatable: "any" });
  const redirectUri = "error" in form ? undefined : form.get("redirect_uri");
  const answerTo = redirectUri === undefined ? undefined : sourceOf(redirectUri);
  return {
    ticket,
    client: clientView(response.client),
    scopes,
    uiLocales: response.uiLocales ?? [],
    ...(loginHint !== undefined && { loginHint }),
    idTokenClaims: claims,
    asksForClaims: claims.length > 0 || claimsAtUserInfo.length > 0 || userInfoClaims !== undefined,
    demands: {
      prompts,
      ...(hasMaxAge && { maxAge }),
      acrs,
      acrEssential,
      ...(subject !== undefined && { subject }),
      scopes: names,
      claims: claimsByName,
      resources: response.resources ?? [],
    },
    ...(answerTo !== undefined && { answerTo }),
  };
}

function scopeView({ name, description }: { name: string; description?: string | undefined }): ScopeView {
  return { name, ...(description !== undefined && { description }) };
}

function clientView(client: AuthorizationResponse["client"]): ClientView {
  const id = String(client?.clientId ?? "");
  return { id, name: client?.clientName ?? id };
}
