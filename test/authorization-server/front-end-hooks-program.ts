import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  authorizationEndpoint,
  html,
  introspectionEndpoint,
  nodeHandler,
  tokenEndpoint,
  userInfoEndpoint,
  type Consents,
  type Endpoint,
  type LoginView,
  type NodeHandlerOptions,
  type Operations,
  type Pages,
  type Users,
} from "../../src/authorization-server/index.ts";
import {
  type BrokenResponse,
  brokenResponses,
  countEscaped,
  type Failure,
  failures,
} from "../support/failing-hooks.ts";
import { obey } from "../support/forked-program.ts";

/** What else a function may answer that is none of its answers. */
export const wrongAnswers = {
  "answers nothing": () => undefined,
  "answers null": () => null,
  "answers false": () => false,
  "answers true": () => true,
  "answers a number": () => 7,
  "answers a text": () => "text",
  "answers an array": () => [],
  "answers an object": () => ({}),
  "answers a function": () => () => undefined,
} as const satisfies Record<string, () => unknown>;

export type FrontEndFailure = Failure | keyof typeof wrongAnswers;

/** The functions of a front end's own: of `nodeHandler`, of its endpoints, and an endpoint itself. */
export type FrontEndHook =
  | "endpoint"
  | "onError"
  | "address"
  | "certificate"
  | "onUnreadableCertificate"
  | "onBackendFailure"
  | "onRefusal"
  | "backend"
  | "authenticate"
  | "authenticateUser"
  | "userInfo.claims"
  | "users.authenticate"
  | "users.claims"
  | "pages.login"
  | "pages.consent"
  | "pages.message"
  | "consents.granted"
  | "consents.grant";

/** One front end: this function failing so, its responses broken so. */
export interface BrokenFrontEnd {
  readonly hook?: FrontEndHook;
  readonly failure?: FrontEndFailure;
  readonly response?: BrokenResponse;
}

const escaped = countEscaped();
// They are what is wanted here, hundreds of them.
process.removeAllListeners("warning");

/** How often an operator was told of something, by path. */
const told: Record<string, number> = {};

const said = (action: string, members: object = {}) =>
  Promise.resolve({ action, resultCode: "A000000", resultMessage: "[A000000] For the operator.", ...members } as never);

const interaction = {
  ticket: "ticket",
  client: { clientId: 1, clientName: "The app" },
  scopes: [{ name: "openid" }, { name: "email" }],
  claims: ["email"],
  lowestPrompt: "CONSENT",
};

/** Whether the function is called for this request, and not for one that leads up to it. */
const isLast = ({ url = "" }: IncomingMessage): boolean => url.endsWith("&last");

function open(path: string, { hook, failure = "throws" }: BrokenFrontEnd): RequestListener {
  const fail = { ...failures, ...wrongAnswers }[failure] as () => never;
  const or = <Made>(name: FrontEndHook, otherwise: Made): Made => (name === hook ? (fail as Made) : otherwise);
  const tell = (): void => void (told[path] = (told[path] ?? 0) + 1);
  const onBackendFailure = or("onBackendFailure", tell);
  const common = { realm: "test", onBackendFailure, onRefusal: or("onRefusal", () => undefined) };
  const backend = {
    authToken: or("backend", () =>
      hook === "onBackendFailure"
        ? Promise.reject(new Error("The backend does not answer."))
        : hook === "authenticateUser"
          ? said("PASSWORD", { username: "alice", password: "x", ticket: "ticket" })
          : said(hook === "onRefusal" ? "BAD_REQUEST" : "OK", { responseContent: "{}" }),
    ),
    authTokenIssue: () => said("OK", { responseContent: "{}" }),
    authTokenFail: () => said("BAD_REQUEST", { responseContent: "{}" }),
    authIntrospectionStandard: () => said("OK", { responseContent: "{}" }),
    authUserinfo: () => said("OK", { subject: "alice", claims: ["email"] }),
    authUserinfoIssue: () => said("JSON", { responseContent: "{}" }),
    authAuthorization: () => said("INTERACTION", interaction),
    authAuthorizationTicketInfo: () => said("OK", { info: {} }),
    authAuthorizationIssue: () => said("LOCATION", { responseContent: "https://app.example.com/?code=c" }),
    authAuthorizationFail: () => said("LOCATION", { responseContent: "https://app.example.com/?error=e" }),
  } as unknown as Operations;
  const page = (title: string) => (view: object) => {
    const body = html`<p>${title}</p>`;
    return { title, body: "form" in view ? (view as LoginView).form(body) : body };
  };
  const users: Users = {
    authenticate: or("users.authenticate", () => ({ subject: "alice" })),
    claims: or("users.claims", () => ({ email: "alice@example.com" })),
  };
  const pages: Pages = {
    login: or("pages.login", page("login")),
    consent: or("pages.consent", page("consent")),
    message: or("pages.message", page("message")),
  };
  const consents: Consents = {
    granted: or("consents.granted", () => []),
    grant: or("consents.grant", () => undefined),
  };
  const endpoints: Partial<Record<FrontEndHook, Endpoint>> = {
    endpoint: fail,
    onError: () => Promise.reject(new Error("A fault of this endpoint.")),
    authenticate: introspectionEndpoint({ ...common, backend, authenticate: fail }),
    authenticateUser: tokenEndpoint({ ...common, backend, authenticateUser: fail }),
    "userInfo.claims": userInfoEndpoint({ ...common, backend, claims: fail }),
  };
  const cookieKey = new Uint8Array(32).fill(7);
  const isFlow = hook === undefined || /^(?:users|pages|consents)\./.test(hook);
  const otherwise = isFlow
    ? authorizationEndpoint({ backend, users, pages, consents, cookieKey, onBackendFailure })
    : tokenEndpoint({ ...common, backend });
  const unreadable = () => ({ unreadable: "not_der" }) as never;
  const options: NodeHandlerOptions = {
    certificate: or("certificate", hook === "onUnreadableCertificate" ? unreadable : () => undefined),
    onError: or("onError", tell),
    ...(hook === "address" ? { address: fail } : {}),
    ...(hook === "onUnreadableCertificate" ? { onUnreadableCertificate: fail } : {}),
  };
  const served = { [path]: endpoints[hook ?? "address"] ?? otherwise };
  // What leads up to the function, or comes to an end, may take as long as a busy machine needs.
  const patient = nodeHandler(served, options);
  const impatient = failure === "never ends" ? nodeHandler(served, { ...options, timeout: 200 }) : patient;
  return (request, response) => {
    (isLast(request) ? impatient : patient)(request, response);
  };
}

let server: Server | undefined;

const commands = {
  /** Serves each at its path. */
  async start(frontEnds: Readonly<Record<string, BrokenFrontEnd>>): Promise<string> {
    const listeners = new Map(Object.entries(frontEnds).map(([path, one]) => [path, open(path, one)] as const));
    server = createServer((request, response) => {
      const [path = ""] = (request.url ?? "").split("?");
      const { response: broken } = frontEnds[path] ?? {};
      if (broken !== undefined && isLast(request)) brokenResponses[broken](request, response);
      listeners.get(path)?.(request, response);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  },
  told: () => told,
  escaped: () => escaped,
};
export type FrontEndHooksCommands = typeof commands;
obey(commands);
