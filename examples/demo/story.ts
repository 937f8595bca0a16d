import { readFile } from "node:fs/promises";
import type { Identity } from "./certificates.ts";
import { tellCodeFlow, tellRefresh } from "./code-flow.ts";
import { callApi, expectRefusal, form, show, untilRefused, type Stage } from "./stage.ts";

/** Runs the whole story; the narrator counts the steps with an unexpected result. */
export async function tellStory(stage: Stage): Promise<void> {
  const { servers, certificates, thumbprints, narrator } = stage;
  const { clientA, clientB, lookAlike } = certificates;

  narrator.chapter("Client A proves itself with a certificate of the CA (tls_client_auth) and calls the API");
  const token = await obtainToken(stage, servers.clientA, clientA);
  const welcome = await callApi(stage, token, clientA);
  narrator.expect("the API answers 200", welcome.status === 200);

  narrator.chapter("The token is stolen: the same token, without client A's key");
  await expectRefusal(stage, token, clientB, "another client's certificate");
  await expectRefusal(stage, token, undefined, "no certificate");
  await expectRefusal(stage, token, lookAlike, "same subject, issuer and serial number, other key");

  narrator.chapter("Client B does the same with a self-signed certificate (self_signed_tls_client_auth)");
  const tokenOfB = await obtainToken(stage, servers.clientB, clientB);
  const welcomeB = await callApi(stage, tokenOfB, clientB);
  narrator.expect("the API answers 200", welcomeB.status === 200);
  await expectRefusal(stage, tokenOfB, clientA, "client A's certificate");

  narrator.chapter("What the backend knows: introspection in both forms");
  await introspect(stage, token, clientA, thumbprints.clientA);
  await introspect(stage, tokenOfB, clientB, thumbprints.clientB);

  narrator.chapter("A user signs in and lets client A read (authorization code with PKCE)");
  const tokens = await tellCodeFlow(stage);

  narrator.chapter("Client A refreshes its tokens, and an old refresh token is used again");
  await tellRefresh(stage, tokens);

  narrator.chapter("Client A revokes its token");
  await revoke(stage, token);
}

async function obtainToken(stage: Stage, clientId: string, as: Identity): Promise<string> {
  const url = `${stage.servers.authorizationServer.url}/token`;
  const body = `grant_type=client_credentials&client_id=${clientId}`;
  const answer = await show(stage, { method: "POST", url, as, headers: form, body });
  stage.narrator.expect("the authorization server issues a token", answer.status === 200);
  return (JSON.parse(answer.body) as { access_token?: string }).access_token ?? "";
}

async function introspect(stage: Stage, token: string, as: Identity, thumbprint: string): Promise<void> {
  const { servers, narrator } = stage;
  const base = `${servers.backend.url}/api/${servers.serviceId}/auth/introspection`;
  const headers = { authorization: `Bearer ${servers.serviceAccessToken}`, "content-type": "application/json" };
  const clientCertificate = await readFile(as.certificate, "utf8");
  const decision = await show(stage, {
    method: "POST",
    url: base,
    headers,
    body: JSON.stringify({ token, clientCertificate }),
  });
  const facts = await show(stage, {
    method: "POST",
    url: `${base}/standard`,
    headers,
    body: JSON.stringify({ parameters: `token=${token}` }),
  });
  const { certificateThumbprint } = JSON.parse(decision.body) as { certificateThumbprint?: string };
  const { responseContent } = JSON.parse(facts.body) as { responseContent: string };
  const { cnf } = JSON.parse(responseContent) as { cnf?: Record<string, string> };
  narrator.say(`openssl x509 -in ${as.name}.pem -outform der | openssl dgst -sha256, in base64url: ${thumbprint}`);
  narrator.expect("certificateThumbprint is what openssl says", certificateThumbprint === thumbprint);
  narrator.expect('cnf["x5t#S256"] is what openssl says', cnf?.["x5t#S256"] === thumbprint);
}

async function revoke(stage: Stage, token: string): Promise<void> {
  const { servers, certificates, narrator } = stage;
  // Fills the API's cache with the active token just before the revocation: the worst case.
  await callApi(stage, token, certificates.clientA);
  const answer = await show(stage, {
    method: "POST",
    url: `${servers.authorizationServer.url}/revoke`,
    as: certificates.clientA,
    headers: form,
    body: `client_id=${servers.clientA}&token=${token}`,
  });
  narrator.expect("the revocation is acknowledged", answer.status === 200);
  await untilRefused(stage, token, "the token is worth nothing any more");
}
