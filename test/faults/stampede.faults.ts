import { once } from "node:events";
import { type ClientHttp2Session, connect } from "node:http2";
import { request } from "node:https";
import test, { type ExecutionContext } from "ava";
import type { ApiServer } from "./api-commands.ts";
import type { TestCertificate } from "../support/certificates.ts";
import { type FaultDeployment, right, startFaultDeployment, wrong } from "./fault-deployment.ts";

/** Ten thousand requests take longer than most. */
const servers = {
  patient: { cache: { ttl: 600, negativeTtl: 600 }, timeout: 60_000 },
} as const satisfies Record<string, ApiServer>;
const both = [right, wrong].map(({ pem }) => pem);

const countOf = (statuses: readonly (number | string)[]): Record<string, number> =>
  Object.fromEntries(
    Object.entries(Object.groupBy(statuses, String)).map(([status, those]) => [status, those?.length ?? 0]),
  );

async function openSession(
  t: ExecutionContext,
  { apiUrl }: FaultDeployment,
  as: TestCertificate,
): Promise<ClientHttp2Session> {
  const session = connect(apiUrl, { cert: as.pem, key: as.key, rejectUnauthorized: false });
  t.teardown(() => {
    session.destroy();
  });
  await once(session, "remoteSettings");
  return session;
}

async function ask(session: ClientHttp2Session, token: string): Promise<number> {
  const stream = session.request({ ":path": "/patient", authorization: `Bearer ${token}` });
  const [headers] = (await once(stream.resume(), "response")) as [Record<string, unknown>];
  return Number(headers[":status"]);
}

test("8705-3-d: ten thousand at once on a cold token, half wrong certificates: one question, half served", async (t) => {
  const deployment = await startFaultDeployment(t, servers);
  const { proxy, api } = deployment;
  const token = await deployment.issue();
  const sessions = await Promise.all(
    Array.from({ length: 50 }, (_, at) => openSession(t, deployment, at % 2 === 0 ? right : wrong)),
  );
  const { questions } = await proxy.tell("report");
  await proxy.tell("questions", "hold");
  const statuses = sessions.flatMap((session) => Array.from({ length: 200 }, () => ask(session, token)));
  await proxy.tell("questionArrival", questions + 1);
  await api.tell("asking", { server: "patient", count: 10_000 });
  t.is((await proxy.tell("report")).questions, questions + 1);
  await proxy.tell("release");
  t.deepEqual(countOf(await Promise.all(statuses)), { 200: 5000, 401: 5000 });
  t.is((await proxy.tell("report")).questions, questions + 1);
  t.is((await api.tell("accepted", token)).length, 5000);
});

test("ten thousand at once in one process, the first gives up: one question, the others' halves are exact", async (t) => {
  const deployment = await startFaultDeployment(t, servers);
  const { proxy, api } = deployment;
  const token = await deployment.issue();
  const { questions } = await proxy.tell("report");
  await proxy.tell("questions", "hold");
  const all = api.tell("stampede", {
    server: "patient",
    token,
    count: 10_000,
    certificates: both,
    leaderAborts: true,
  });
  await proxy.tell("questionArrival", questions + 1);
  await api.tell("turn");
  await proxy.tell("release");
  const [leader, ...others] = await all;
  t.is(leader, "AbortError");
  t.deepEqual(countOf(others), { 200: 4999, 401: 5000 });
  t.is((await proxy.tell("report")).questions, questions + 1);
});

test("the first one's connection ends while all wait: the others are served", async (t) => {
  const deployment = await startFaultDeployment(t, servers);
  const { proxy, api, apiUrl } = deployment;
  const token = await deployment.issue();
  const { questions } = await proxy.tell("report");
  await proxy.tell("questions", "hold");
  const leader = request(`${apiUrl}/patient`, {
    cert: right.pem,
    key: right.key,
    rejectUnauthorized: false,
    agent: false,
    headers: { authorization: `Bearer ${token}` },
  });
  const broken = once(leader, "error");
  leader.end();
  await proxy.tell("questionArrival", questions + 1);
  const sessions = await Promise.all([right, wrong].map((as) => openSession(t, deployment, as)));
  const statuses = sessions.flatMap((session) => Array.from({ length: 100 }, () => ask(session, token)));
  await api.tell("asking", { server: "patient", count: 201 });
  leader.destroy(new Error("gone"));
  await broken;
  await proxy.tell("release");
  t.deepEqual(countOf(await Promise.all(statuses)), { 200: 100, 401: 100 });
  t.is((await proxy.tell("report")).questions, questions + 1);
});

test("the first request fails in each attempt: its caller gets the error, the others retry once, together", async (t) => {
  const deployment = await startFaultDeployment(t, servers);
  const { proxy, api } = deployment;
  const token = await deployment.issue();
  const { questions } = await proxy.tell("report");
  // One question is three attempts.
  await proxy.tell("questions", { refuse: 3 });
  const all = await api.tell("stampede", { server: "patient", token, count: 10_000, certificates: both });
  t.is(all[0], 503);
  t.deepEqual(countOf(all.slice(1)), { 200: 4999, 401: 5000 });
  t.is((await proxy.tell("report")).questions, questions + 4);
});
