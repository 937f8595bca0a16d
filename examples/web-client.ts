/**
 * A website whose users sign in at the authorization server. Its access tokens are bound to its own certificate.
 *
 * Open the printed address in a browser. After the sign-in the page shows what the API answers to the new token with
 * the website's certificate, and what it answers to the same token without it.
 *
 *   ISSUER=https://127.0.0.1:9444 AUTHORIZATION_ENDPOINT=https://127.0.0.1:9444/authorize \
 *   TOKEN_ENDPOINT=https://127.0.0.1:9443/token CLIENT_ID=1 [CLIENT_SECRET=…] \
 *   CLIENT_CERT=client.pem CLIENT_KEY=client-key.pem CA=server.pem API_URL=https://127.0.0.1:8443/hello [PORT=8080] \
 *   npm run example -- examples/web-client.ts
 *
 * The client's redirect URI is http://127.0.0.1/callback. Without CLIENT_SECRET it authenticates with its certificate.
 */
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { html } from "certbound/authorization-server";
import { serverTimeouts } from "certbound/node";
import * as oauth from "openid-client";
import { Agent, fetch } from "undici";

const setting = (name: string): string => {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`The environment variable ${name} is missing or empty.`);
  return value;
};

const ca = readFileSync(setting("CA"));
const withCertificate = new Agent({
  connect: { ca, cert: readFileSync(setting("CLIENT_CERT")), key: readFileSync(setting("CLIENT_KEY")) },
});
const withoutCertificate = new Agent({ connect: { ca } });
const apiUrl = setting("API_URL");

const { CLIENT_SECRET: secret } = process.env;
const client = new oauth.Configuration(
  {
    issuer: setting("ISSUER"),
    authorization_endpoint: setting("AUTHORIZATION_ENDPOINT"),
    token_endpoint: setting("TOKEN_ENDPOINT"),
    authorization_response_iss_parameter_supported: true,
  },
  setting("CLIENT_ID"),
  undefined,
  secret === undefined ? oauth.TlsClientAuth() : oauth.ClientSecretPost(secret),
);
// The token is bound to the certificate of the connection on which the client asks for it.
const fetchWith = fetch as unknown as (url: string, options: object) => Promise<Response>;
client[oauth.customFetch] = (url, options) => fetchWith(url, { ...options, dispatcher: withCertificate });

/** Sign-ins that have begun, by `state`: the PKCE verifier of each. The oldest is forgotten first. */
const begun = new Map<string, string>();
const mostBegun = 1000;
const cookie = "sign-in";

async function beginSignIn(redirectUri: string): Promise<{ location: string; state: string }> {
  const verifier = oauth.randomPKCECodeVerifier();
  const state = oauth.randomState();
  for (const [oldest] of begun) {
    if (begun.size < mostBegun) break;
    begun.delete(oldest);
  }
  begun.set(state, verifier);
  const location = oauth.buildAuthorizationUrl(client, {
    redirect_uri: redirectUri,
    scope: "read",
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  });
  return { location: location.href, state };
}

/** The state must be one that this browser began with, so that nobody can sign somebody else in. */
async function endSignIn(url: URL, request: IncomingMessage): Promise<string> {
  const state = url.searchParams.get("state") ?? "";
  const verifier = begun.get(state);
  const own = request.headers.cookie?.split("; ").includes(`${cookie}=${state}`) === true;
  if (verifier === undefined || !own) throw new Error("This browser has not begun this sign-in, or it is over.");
  begun.delete(state);
  const checks = { pkceCodeVerifier: verifier, expectedState: state };
  const tokens = await oauth.authorizationCodeGrant(client, url, checks);
  return tokens.access_token;
}

async function callApi(token: string, dispatcher: Agent): Promise<string> {
  const answer = await fetchWith(apiUrl, { dispatcher, headers: { authorization: `Bearer ${token}` } });
  return `${answer.status} ${answer.headers.get("www-authenticate") ?? (await answer.text())}`;
}

const page = (title: string, body: ReturnType<typeof html>): string =>
  html`<!doctype html>
    <html lang="en">
      <meta charset="utf-8" /><title>${title}</title>
      <h1>${title}</h1>
      ${body}
    </html>`.toString();

// Limits how long a client can hold a connection with half a request.
const server = createServer({ ...serverTimeouts }, (request, response) => {
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const url = new URL(request.url ?? "/", origin);
  response.setHeader("content-type", "text/html; charset=utf-8");
  response.setHeader("content-security-policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'");
  response.setHeader("cache-control", "no-store");
  const answer = async (): Promise<string> => {
    if (url.pathname === "/") {
      const { location, state } = await beginSignIn(`${origin}/callback`);
      response.statusCode = 303;
      response.setHeader("location", location);
      response.setHeader("set-cookie", `${cookie}=${state}; HttpOnly; SameSite=Lax; Path=/`);
      return "";
    }
    if (url.pathname !== "/callback") {
      response.statusCode = 404;
      return page("Not found", html`<p>Start at <a href="/">the first page</a>.</p>`);
    }
    const token = await endSignIn(url, request);
    const [own, stolen] = [await callApi(token, withCertificate), await callApi(token, withoutCertificate)];
    return page(
      "Signed in",
      html`<p>The website has a token that is bound to its certificate. The API answers:</p>
        <p id="own">with the certificate: ${own}</p>
        <p id="stolen">the same token without it: ${stolen}</p>`,
    );
  };
  answer().then(
    (body) => response.end(body),
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : "the sign-in failed");
      response.statusCode = 400;
      response.end(page("Not signed in", html`<p>That did not work. <a href="/">Begin again</a>.</p>`));
    },
  );
});

server.listen(Number(process.env["PORT"] ?? 8080), "127.0.0.1", () => {
  console.log(JSON.stringify({ listening: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }));
});

process.once("SIGTERM", () => {
  server.close();
  server.closeIdleConnections();
  void withCertificate.close();
  void withoutCertificate.close();
});
