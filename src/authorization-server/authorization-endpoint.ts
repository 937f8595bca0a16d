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
 * The authorization endpoint (RFC 6749 §3.1) with what stands between request and answer: login, consent, a session.
 *
 * You bring the pages and the user table. Tickets stay here, a page works in the browser that it was made for and
 * nowhere else, several tabs do not disturb each other, and no node remembers anything. Serve it without asking for
 * client certificates: browsers would ask their users for one. Throws a `TypeError` with a `code` for wrong options.
 *
 * @example nodeHandler({ "/authorize": authorizationEndpoint({ backend, users, pages, cookieKey }) })
 */
export function authorizationEndpoint(options: AuthorizationEndpointOptions): Endpoint {
  return openAuthorization(options, { clock: Date.now, random: randomBytes, sealing: joseSealing });
}

/** jose is loaded when the first page is made. */
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
  /** 32 octets that seal what browsers keep for us; the same on every node. Another one logs everybody out. */
  readonly cookieKey: Uint8Array;
  /**
   * What users granted before; without it they are asked each time, and `prompt=none` never succeeds. A client whose
   * redirect URI is not `https` is never taken for the one that was granted something (RFC 6749 §10.2).
   */
  readonly consents?: Consents;
  /** How long a login is good for further requests, in seconds; default: 8 hours. */
  readonly sessionDuration?: number;
  /**
   * Where clients lead on to from their redirect URIs, as sources of a Content-Security-Policy: Chromium follows a form
   * to no site that the page does not name, however many redirects away. Default: `["https:"]`, any site over TLS;
   * with `[]` the redirect URI is the end of the way.
   */
  readonly formTargets?: readonly string[];
  /** Told why a request could not be processed, be it the backend's doing, the user table's or a page's. */
  readonly onBackendFailure?: OnBackendFailure;
  /** Called for each authorization request that the backend refused, with the reason. */
  readonly onRefusal?: OnClientRefusal;
}

/** What is handed in beside the options. */
export interface AuthorizationDependencies {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly random: (octets: number) => Buffer;
  readonly sealing: (key: Uint8Array) => Sealing;
}

const eightHours = 28_800;

/** Passwords that may be tried on one form; then its authorization ends. */
const mostTries = 10;

/** Forms whose tries are counted at a time. */
const mostCounted = 10_000;

/** A request that came by POST is led on by GET; more than this does not fit a request line. */
const longestQuery = 8192;

/** The field of our own pages, as browsers write it. */
const hasInteraction = /(?:^|&)interaction=/;

/** What cannot stand in a query (RFC 3986 §3.4), but for a percent sign, be it malformed. */
const beyondQuery = /[^\x21-\x7E]|["#<>[\\\]^`{|}]/gu;

/** The authorization endpoint with its clock and its randomness handed in. */
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

  /** Whoever does not answer, the backend or the user table: the user is told to come back. */
  async function orTryLater(step: Promise<EndpointAnswer>): Promise<EndpointAnswer> {
    try {
      return await step;
    } catch (error) {
      tell(error);
      return pages.message("unavailable", failureStatus(error));
    }
  }

  /** What each action becomes (Authlete's API; RFC 9700 §2.1 for the redirect). */
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
 * An authorization request may come by POST (OpenID Connect Core §3.1.2.1). From another site it comes without our
 * cookies, which the GET that follows brings along. What is malformed stays so: it is for the backend to refuse.
 */
function redirectToQuery(body: string): EndpointAnswer {
  const sent = body.trimEnd();
  // Before and after, for it only becomes longer: there may be tens of thousands of characters to encode.
  const query = sent.length > longestQuery ? sent : sent.toWellFormed().replace(beyondQuery, encodeURIComponent);
  if (query.length > longestQuery) return oauthErrorAnswer(400, "invalid_request", "The request is too long.");
  return redirectAnswer(`?${query}`);
}

/** What the backend says of a request that waits for its user, without what no page and no decision needs. */
function askedAuthorization(response: AuthorizationResponse, parameters: string): AskedAuthorization {
  const { ticket = "", prompts = [], maxAge = 0, acrs = [], acrEssential = false, subject, loginHint } = response;
  // A backend that does not tell them apart means "not given" by 0 (Authlete's API).
  const hasMaxAge = response.maxAgeRequested === true || maxAge > 0;
  const scopes = (response.scopes ?? []).map(scopeView);
  const names = scopes.map(({ name }) => name);
  const { claims = [], claimsAtUserInfo = [], userInfoClaims } = response;
  const ofScopes = new Set(scopeClaims(names));
  const claimsByName = [...new Set([...claims, ...claimsAtUserInfo])].filter((name) => !ofScopes.has(name));
  // The backend has checked it against the client's registration before anybody is asked anything.
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
