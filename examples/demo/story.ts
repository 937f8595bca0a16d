import { readFile } from "node:fs/promises";
import type { Certificates, Identity } from "./certificates.ts";
import type { Narrator } from "./narrator.ts";
import { send, type Answer, type Call } from "./request.ts";
import { cacheTtl, type Servers } from "./servers.ts";

/** What the story is told with. */
export interface Stage {
  readonly servers: Servers;
  readonly certificates: Certificates;
  /** As openssl computes them. */
  readonly thumbprints: { readonly clientA: string; readonly clientB: string };
  readonly narrator: Narrator;
}

/** After this long the demo gives up on a refusal. In milliseconds. */
const longestWait = (cacheTtl + 10) * 1000;

const form = { "content-type": "application/x-www-form-urlencoded" };

/** Plays the whole story; what did not go as told is counted by the narrator. */
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

function callApi(stage: Stage, token: string, as: Identity | undefined): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}` };
  return show(stage, { method: "GET", url: `${stage.servers.api.url}/hello`, as, headers });
}

async function expectRefusal(stage: Stage, token: string, as: Identity | undefined, what: string): Promise<void> {
  stage.narrator.say(`With ${what}:`);
  const answer = await callApi(stage, token, as);
  const logged = await stage.servers.api.next((line) => (typeof line["refused"] === "string" ? line : undefined));
  stage.narrator.say(`  the API's log: ${String(logged["refused"])}: ${String(logged["reason"])}`);
  const refused = answer.status === 401 && answer.challenge?.includes('error="invalid_token"') === true;
  stage.narrator.expect("401 invalid_token", refused);
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
  const call: Call = { method: "GET", url: `${servers.api.url}/hello`, as: certificates.clientA };
  const withToken = { ...call, headers: { authorization: `Bearer ${token}` } };
  // So that the API has just been told that the token is good: the longest it can be mistaken.
  await send(withToken, certificates.authority);
  const answer = await show(stage, {
    method: "POST",
    url: `${servers.authorizationServer.url}/revoke`,
    as: certificates.clientA,
    headers: form,
    body: `client_id=${servers.clientA}&token=${token}`,
  });
  const acknowledged = performance.now();
  narrator.expect("the revocation is acknowledged", answer.status === 200);
  let lastAccepted = 0;
  let asked: number;
  let refused: Answer;
  for (;;) {
    asked = performance.now() - acknowledged;
    refused = await send(withToken, certificates.authority);
    if (refused.status !== 200 || asked > longestWait) break;
    lastAccepted = asked;
  }
  narrator.exchange(withToken, refused);
  // Judged by when the requests were sent: that holds on a slow machine, too.
  narrator.expect(
    `refused ${Math.round(asked)} ms after the acknowledgement: the backend's stream of events tells the API (bound: ${cacheTtl * 1000} ms)`,
    refused.status === 401 && lastAccepted <= cacheTtl * 1000,
  );
}

async function show(stage: Stage, call: Call): Promise<Answer> {
  const answer = await send(call, stage.certificates.authority);
  stage.narrator.exchange(call, answer);
  return answer;
}
