import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { createApiClient } from "certbound/api-client";
import {
  authorizationEndpoint,
  basicResourceServers,
  discoveryEndpoint,
  html,
  introspectionEndpoint,
  jwksEndpoint,
  nodeHandler,
  revocationEndpoint,
  serverTimeouts,
  tokenEndpoint,
  userInfoEndpoint,
  type Pages,
  type Users,
} from "certbound/authorization-server";

/** Yours. Take as long for a name that nobody has as for a wrong password. An id is at most 100 characters of ASCII. */
declare const table: {
  secondsToWait: (username: string, address: string | undefined) => Promise<number>;
  idOf: (username: string, password: string) => Promise<string | undefined>;
  columns: (id: string, names: readonly string[]) => Promise<Record<string, unknown>>;
};

const users: Users = {
  authenticate: async (username, password, { address }) => {
    const retryAfter = await table.secondsToWait(username, address);
    if (retryAfter > 0) return { retryAfter };
    const subject = await table.idOf(username, password);
    return subject === undefined ? undefined : { subject };
  },
  claims: (subject, names) => table.columns(subject, names),
};

const pages: Pages = {
  style: "main { max-width: 22rem; margin: 10vh auto }",
  login: ({ client, loginHint, wrongCredentials, retryAfter, form }) => ({
    title: "Sign in",
    body: html`<main>
      <h1>Sign in to ${client.name}</h1>
      ${wrongCredentials && html`<p role="alert">The name or the password is wrong.</p>`}
      ${retryAfter !== undefined && html`<p role="alert">Please try again in ${retryAfter} seconds.</p>`}
      ${form(
        html`<input name="username" value="${loginHint}" autocomplete="username" />
          <input name="password" type="password" autocomplete="current-password" />
          <button name="decision" value="login">Sign in</button>
          <button name="decision" value="cancel">Cancel</button>`,
      )}
    </main>`,
  }),
  consent: ({ client, subject, scopes, claims, resources, form }) => ({
    title: "Allow access",
    body: html`<main>
      <h1>${client.name} asks for access</h1>
      <p>You are signed in as ${subject}.</p>
      ${claims.length > 0 && html`<p>It wants to know of you: ${claims.join(", ")}.</p>`}
      ${resources.length > 0 && html`<p>It is for ${resources.join(", ")}.</p>`}
      ${form(
        html`${scopes.map(
            ({ name, description }) =>
              html`<label><input type="checkbox" name="scope" value="${name}" checked />${description ?? name}</label>`,
          )}
          <button name="decision" value="allow">Allow</button>
          <button name="decision" value="deny">Deny</button>
          <button name="decision" value="switch">Use another account</button>`,
      )}
    </main>`,
  }),
};

const backend = createApiClient({
  baseUrl: "http://127.0.0.1:8705",
  serviceId: 1004,
  credentials: { accessToken: process.env["SERVICE_ACCESS_TOKEN"] ?? "" },
});
const common = { backend, realm: "https://as.example.com", onBackendFailure: console.error };
const tls = { ...serverTimeouts, cert: readFileSync("server.pem"), key: readFileSync("server-key.pem") };

// Clients present certificates; whether one is good enough, the backend decides.
createServer(
  { ...tls, requestCert: true, rejectUnauthorized: false },
  nodeHandler({
    "/token": tokenEndpoint({ ...common, authenticateUser: users.authenticate }),
    "/revoke": revocationEndpoint(common),
    "/introspect": introspectionEndpoint({
      ...common,
      authenticate: basicResourceServers([{ id: "api", secret: "…", rsUri: "https://api.example.com" }]),
    }),
    "/userinfo": userInfoEndpoint({ ...common, claims: users.claims }),
  }),
).listen(9443);

// Browsers have a listener of their own: one that asks for certificates would make them ask their users.
createServer(
  tls,
  nodeHandler({
    "/authorize": authorizationEndpoint({
      ...common,
      users,
      pages,
      cookieKey: Buffer.from(process.env["COOKIE_KEY"] ?? "", "base64"),
    }),
    "/jwks": jwksEndpoint(common),
    "/.well-known/openid-configuration": discoveryEndpoint(common),
    "/.well-known/oauth-authorization-server": discoveryEndpoint(common),
  }),
).listen(9444);

export {};
