import type { Certificates, Identity } from "./certificates.ts";
import type { Narrator } from "./narrator.ts";
import { send, type Answer, type Call } from "./request.ts";
import { cacheTtl, type Servers } from "./servers.ts";

/** Everything that the steps of the story use. */
export interface Stage {
  readonly servers: Servers;
  readonly certificates: Certificates;
  /** As openssl computes them. */
  readonly thumbprints: { readonly clientA: string; readonly clientB: string };
  readonly narrator: Narrator;
}

/** After this long the demo gives up on a refusal. In milliseconds. */
const longestWait = (cacheTtl + 10) * 1000;

export const form = { "content-type": "application/x-www-form-urlencoded" };

/** Sends a request and prints it. */
export async function show(stage: Stage, call: Call): Promise<Answer> {
  const answer = await send(call, stage.certificates.authority);
  stage.narrator.exchange(call, answer);
  return answer;
}

export function callApi(stage: Stage, token: string, as: Identity | undefined): Promise<Answer> {
  return show(stage, helloWith(stage, token, as));
}

function helloWith({ servers }: Stage, token: string, as: Identity | undefined): Call {
  return { method: "GET", url: `${servers.api.url}/hello`, as, headers: { authorization: `Bearer ${token}` } };
}

/** Expects that the API rejects the token over a connection with this certificate, and that its log has the reason. */
export async function expectRefusal(
  stage: Stage,
  token: string,
  as: Identity | undefined,
  what: string,
): Promise<void> {
  stage.narrator.say(`With ${what}:`);
  const answer = await callApi(stage, token, as);
  const logged = await stage.servers.api.next((line) => (typeof line["refused"] === "string" ? line : undefined));
  stage.narrator.say(`  the API's log: ${String(logged["refused"])}: ${String(logged["reason"])}`);
  const refused = answer.status === 401 && answer.challenge?.includes('error="invalid_token"') === true;
  stage.narrator.expect("401 invalid_token", refused);
}

/** Client A calls the API until it is rejected. Its token was revoked just now; the API had cached it as active. */
export async function untilRefused(stage: Stage, token: string, what: string): Promise<void> {
  const { certificates, narrator } = stage;
  const call = helloWith(stage, token, certificates.clientA);
  const ended = performance.now();
  let lastAccepted = 0;
  let asked: number;
  let refused: Answer;
  for (;;) {
    asked = performance.now() - ended;
    refused = await send(call, certificates.authority);
    if (refused.status !== 200 || asked > longestWait) break;
    lastAccepted = asked;
  }
  narrator.exchange(call, refused);
  // Uses the time when the requests were sent, which is right on a slow machine, too.
  narrator.expect(
    `${what}: refused ${Math.round(asked)} ms later, the backend's stream of events tells the API (bound: ${cacheTtl * 1000} ms)`,
    refused.status === 401 && lastAccepted <= cacheTtl * 1000,
  );
}
