import { randomBytes } from "node:crypto";
import {
  type Endpoint,
  type EndpointAnswer,
  type Pages,
  type Users,
  html,
} from "../../src/authorization-server/index.ts";
import {
  openAuthorization,
  type AuthorizationEndpointOptions,
} from "../../src/authorization-server/authorization-endpoint.ts";
import { openSealedJson, sealJson } from "../../src/jose/sealed-json.ts";

type Backend = AuthorizationEndpointOptions["backend"];
type Asked = keyof Backend;

/** An instant for tests, milliseconds since 1970. */
export const start = 1_800_000_000_000;
export const ticket = "the-ticket-that-nobody-sees";
const client = { clientId: 4711, clientName: "The <b>App</b>" };
export const request =
  "response_type=code&client_id=4711&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb&scope=openid+read&state=s";

/** What the backend says of a request that waits for its user. */
export const interaction = {
  action: "INTERACTION",
  ticket,
  client,
  scopes: [{ name: "openid" }, { name: "read", description: 'Read "all"' }],
  lowestPrompt: "CONSENT",
};
export const noInteraction = { ...interaction, action: "NO_INTERACTION", prompts: ["NONE"], lowestPrompt: "NONE" };
export const issued = { action: "LOCATION", responseContent: "https://app.example.com/cb?code=c&state=s" };
export const failed = { action: "LOCATION", responseContent: "https://app.example.com/cb?error=e&state=s" };

export const ticketIsGood = { action: "OK", info: {} };
export const ticketIsGone = { action: "NOT_FOUND" };

/** Pages with nothing but what is asked for, to be read again by the tests. */
export const plainPages: Pages = {
  style: "p { color: red }",
  login: ({ client: { name }, loginHint, wrongCredentials, retryAfter, form }) => ({
    title: "login",
    body: form(
      html`<p>${name}</p>
        ${retryAfter !== undefined && html`<p>wait ${retryAfter}</p>`} ${wrongCredentials && html`<p>wrong</p>`}<input
          name="username"
          value="${loginHint}"
        />`,
    ),
  }),
  consent: ({ client: { name }, subject, scopes, form }) => ({
    title: "consent",
    body: form(
      html`<p>${name} ${subject}</p>
        ${scopes.map((scope) => html`<i>${scope.name} ${scope.description}</i>`)}`,
    ),
  }),
};

export const users: Users = {
  authenticate: (username, password) => (password === `${username}-password` ? { subject: username } : undefined),
  claims: (subject) => ({ email: `${subject}@example.com`, name: subject, secret: "never told" }),
};

/** An authorization endpoint with a scripted backend. */
export interface SignInWorld {
  readonly endpoint: Endpoint;
  /** What the backend was asked, in order. */
  readonly asked: { readonly operation: Asked; readonly request: unknown }[];
  /** The questions whether a ticket is still good. */
  readonly looked: unknown[];
  readonly failures: unknown[];
  /** Says what an operation answers from now on; an `Error` is rejected with. */
  readonly says: Partial<Record<Asked, object>>;
  readonly pass: (seconds: number) => void;
  readonly openBrowser: () => TestBrowser;
}

/** Keeps cookies, and sends forms as a browser would from our own page. */
export interface TestBrowser {
  readonly cookies: Map<string, string>;
  readonly get: (query?: string) => Promise<EndpointAnswer>;
  readonly submit: (
    page: EndpointAnswer,
    form: Readonly<Record<string, string | readonly string[]>>,
    headers?: { readonly origin?: string; readonly fetchSite?: string },
    address?: string,
  ) => Promise<EndpointAnswer>;
  /** Signs in, with the page that was shown. */
  readonly login: (page: EndpointAnswer, username?: string) => Promise<EndpointAnswer>;
}

export function createSignInWorld(options: Partial<AuthorizationEndpointOptions> = {}): SignInWorld {
  let now = start;
  const asked: SignInWorld["asked"] = [];
  const looked: unknown[] = [];
  const failures: unknown[] = [];
  const says: SignInWorld["says"] = {
    authAuthorization: interaction,
    authAuthorizationTicketInfo: ticketIsGood,
    authAuthorizationIssue: issued,
    authAuthorizationFail: failed,
  };
  const ask = (operation: Asked) => (what: unknown) => {
    // Asked before each step; what a step asks besides is what the tests are about.
    if (operation === "authAuthorizationTicketInfo") looked.push(what);
    else asked.push({ operation, request: what });
    const said = says[operation] ?? {};
    if (said instanceof Error) return Promise.reject(said);
    return Promise.resolve({ resultCode: "A000000", resultMessage: "[A000000] For the operator.", ...said } as never);
  };
  const backend: Backend = {
    authAuthorization: ask("authAuthorization"),
    authAuthorizationTicketInfo: ask("authAuthorizationTicketInfo"),
    authAuthorizationIssue: ask("authAuthorizationIssue"),
    authAuthorizationFail: ask("authAuthorizationFail"),
  };
  const endpoint = openAuthorization(
    {
      backend,
      users,
      pages: plainPages,
      cookieKey: new Uint8Array(32).fill(7),
      onBackendFailure: (error) => failures.push(error),
      ...options,
    },
    {
      clock: () => now,
      random: randomBytes,
      sealing: (key) => ({
        seal: (value, purpose) => sealJson(value, key, purpose),
        open: (text, purpose) => openSealedJson(text, key, purpose),
      }),
    },
  );
  return {
    endpoint,
    asked,
    looked,
    failures,
    says,
    pass: (seconds) => {
      now += seconds * 1000;
    },
    openBrowser: () => openBrowser(endpoint),
  };
}

function openBrowser(endpoint: Endpoint): TestBrowser {
  const cookies = new Map<string, string>();
  const keep = (answer: EndpointAnswer): EndpointAnswer => {
    for (const line of [answer.headers["set-cookie"] ?? []].flat()) {
      const [name = "", value = ""] = (line.split(";")[0] ?? "").split("=");
      cookies.set(name, value);
    }
    return answer;
  };
  const header = () =>
    cookies.size === 0 ? {} : { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") };
  const submit: TestBrowser["submit"] = async (
    page,
    form,
    headers = { fetchSite: "same-origin", origin: "null" },
    address,
  ) => {
    const pairs = Object.entries(form).flatMap(([name, value]) =>
      [value].flat().map((one): [string, string] => [name, one]),
    );
    return keep(
      await endpoint({
        method: "POST",
        ...(address === undefined ? {} : { address }),
        contentType: "application/x-www-form-urlencoded",
        body: new URLSearchParams([["interaction", sealedOf(page)] as [string, string], ...pairs]).toString(),
        browser: { query: "", host: "as.example.com", ...header(), ...headers },
      }),
    );
  };
  return {
    cookies,
    submit,
    get: async (query = request) =>
      keep(await endpoint({ method: "GET", body: "", browser: { query, host: "as.example.com", ...header() } })),
    login: (page, username = "alice") => submit(page, { username, password: `${username}-password` }),
  };
}

/** The hidden field of a page's form. */
export function sealedOf({ body }: EndpointAnswer): string {
  return /name="interaction" value="([^"]*)"/.exec(body)?.[1] ?? "";
}

export function titleOf({ body }: EndpointAnswer): string | undefined {
  return /<title>([^<]*)</.exec(body)?.[1];
}
