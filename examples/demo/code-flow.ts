import { createHash, randomBytes } from "node:crypto";
import { openBrowser } from "./browser.ts";
import type { Answer } from "./request.ts";
import { redirectUri } from "./servers.ts";
import { callApi, expectRefusal, form, show, untilRefused, type Stage } from "./stage.ts";

interface Tokens {
  readonly access_token?: string;
  readonly refresh_token?: string;
}

/** A user signs in and consents, and client A gets tokens for it (RFC 6749 §4.1 with PKCE, RFC 7636). */
export async function tellCodeFlow(stage: Stage): Promise<Tokens> {
  const { servers, certificates, narrator } = stage;
  const verifier = randomBytes(32).toString("base64url");
  const state = randomBytes(8).toString("base64url");

  narrator.say("Client A sends the user's browser to the authorization server:");
  const request = new URLSearchParams({
    response_type: "code",
    client_id: servers.clientA,
    redirect_uri: redirectUri,
    scope: "read",
    state,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  const browser = openBrowser((call) => show(stage, call));
  const login = await browser.open(`${servers.pages}/authorize?${request.toString()}`);
  narrator.expect("the user is asked to sign in", login.title === "Sign in");
  const consent = await login.submit({ username: "alice", password: "wonderland", decision: "login" });
  narrator.expect("the user is asked whether client A may read", consent.title === "Allow access");
  const { answer } = await consent.submit({ decision: "allow" });
  const back = answer.location === undefined ? undefined : new URL(answer.location).searchParams;
  narrator.expect(
    "the browser is sent back to client A with a code, its state, and who issued the code (RFC 9207)",
    answer.status === 303 && back?.get("state") === state && back.get("iss") === servers.issuer && back.has("code"),
  );

  narrator.say("Client A exchanges the code, with its certificate and the PKCE verifier:");
  const exchanged = await askForTokens(stage, {
    grant_type: "authorization_code",
    code: back?.get("code") ?? "",
    redirect_uri: redirectUri,
    code_verifier: verifier,
  });
  const tokens = tokensOf(exchanged);
  narrator.expect("it gets an access token and a refresh token", tokens.refresh_token !== undefined);
  const token = tokens.access_token ?? "";
  const welcome = await callApi(stage, token, certificates.clientA);
  narrator.expect("the API answers 200", welcome.status === 200);
  await expectRefusal(stage, token, certificates.clientB, "another client's certificate");
  return tokens;
}

/** Each refresh returns another refresh token; reuse of an old one revokes the whole family (RFC 9700 §4.14.2). */
export async function tellRefresh(stage: Stage, { refresh_token: first = "" }: Tokens): Promise<void> {
  const { certificates, narrator } = stage;
  const second = tokensOf(await refresh(stage, first)).refresh_token ?? "";
  narrator.expect("the refresh token was replaced", second !== "" && second !== first);
  narrator.say("And once more, with the new one:");
  const { access_token: latest = "" } = tokensOf(await refresh(stage, second));
  const welcome = await callApi(stage, latest, certificates.clientA);
  narrator.expect("the API answers 200", welcome.status === 200);
  narrator.say("Now the first refresh token turns up again: somebody must have copied it.");
  const reused = await refresh(stage, first);
  narrator.expect("400 invalid_grant", reused.status === 400 && reused.body.includes('"invalid_grant"'));
  await untilRefused(stage, latest, "and the latest access token has ended, too");
}

const refresh = (stage: Stage, refreshToken: string): Promise<Answer> =>
  askForTokens(stage, { grant_type: "refresh_token", refresh_token: refreshToken });

function askForTokens(stage: Stage, parameters: Readonly<Record<string, string>>): Promise<Answer> {
  const { servers, certificates } = stage;
  const body = new URLSearchParams({ ...parameters, client_id: servers.clientA }).toString();
  const url = `${servers.authorizationServer.url}/token`;
  return show(stage, { method: "POST", url, as: certificates.clientA, headers: form, body });
}

const tokensOf = ({ body }: Answer): Tokens => JSON.parse(body) as Tokens;
