import Koa from "koa";
import test, { type ExecutionContext } from "ava";
import { introspectionRefusals } from "../../src/contract/introspection-refusals.ts";
import type { RefusalCode } from "../../src/oauth/access-token-decision.ts";
import { createResourceServer } from "../../src/resource-server/index.ts";
import { protect, type ProtectedState } from "../../src/resource-server/middleware/koa.ts";
import type { RouteRequirement } from "../../src/resource-server/decision/read-requirement.ts";
import { createSelfSigned, type TestCertificate } from "../support/certificates.ts";
import { accessTokenOf, startDeployment } from "../support/deployment.ts";
import { serveMutualTls } from "../support/mutual-tls.ts";
import { basic, send } from "../support/https-request.ts";
import { keepTokens } from "../support/keep-tokens.ts";
import { clientSettings, secretOf, serviceAccessToken, serviceId } from "../support/settings.ts";
import { makeStoreFile, openStoreBeside } from "../support/store-beside.ts";

// Each refusal of the decision, by a real backend over HTTP and an API over mutual TLS. The API is asked in both modes:
// the backend's result code must tell the library what the library finds itself, unless the token is inactive. Of an
// inactive token, standard introspection says no more than that (RFC 7662 §2.2).

const k1 = createSelfSigned({ subject: "CN=client-1" });
const other = createSelfSigned({ subject: "CN=client-2" });
const hour = 3_600_000;

interface Situation {
  /** Client 1's own token has no scopes. */
  readonly token: "own" | "of a user" | "unknown";
  readonly as?: TestCertificate | undefined;
  readonly requirement?: RouteRequirement;
  /** SQL over the backend's file, after the token was issued. */
  readonly damage?: string;
  /** Milliseconds from the issue of the token to the request. */
  readonly later?: number;
  readonly resultCode: string;
  readonly refusal: RefusalCode;
  readonly status?: 403;
}

const situations: Readonly<Record<string, Situation>> = {
  "an unknown token": { token: "unknown", as: k1, resultCode: "A057302", refusal: "token_unknown" },
  "an expired token without a refresh token": {
    ...{ token: "own", as: k1, later: hour },
    ...{ resultCode: "A065303", refusal: "token_expired" },
  },
  "an expired token whose refresh token is valid": {
    ...{ token: "of a user", as: k1, later: hour },
    ...{ resultCode: "A065301", refusal: "token_expired" },
  },
  "an expired token whose refresh token has expired": {
    ...{ token: "of a user", as: k1, later: hour, damage: "UPDATE refresh_token SET expires_at = created_at + 1" },
    ...{ resultCode: "A065302", refusal: "token_expired" },
  },
  "no certificate": { token: "own", resultCode: "A065304", refusal: "certificate_missing" },
  "another certificate": { token: "own", as: other, resultCode: "A065305", refusal: "certificate_mismatch" },
  "a damaged binding": {
    ...{ token: "own", as: k1, damage: "UPDATE access_token SET x5t_s256 = 'x'" },
    ...{ resultCode: "A065306", refusal: "confirmation_malformed" },
  },
  "a damaged binding, and no certificate": {
    ...{ token: "own", damage: "UPDATE access_token SET x5t_s256 = 'x'" },
    ...{ resultCode: "A065306", refusal: "confirmation_malformed" },
  },
  "another resource": {
    ...{ token: "own", as: k1, requirement: { resources: ["https://other.example.com"] } },
    ...{ resultCode: "A064303", refusal: "audience_mismatch" },
  },
  "a token without a user": {
    ...{ token: "own", as: k1, requirement: { subject: "user-1" } },
    ...{ resultCode: "A066301", refusal: "subject_missing", status: 403 },
  },
  "a token of another user": {
    ...{ token: "of a user", as: k1, requirement: { subject: "user-2" } },
    ...{ resultCode: "A066302", refusal: "subject_mismatch", status: 403 },
  },
  "a scope that the token lacks": {
    ...{ token: "of a user", as: k1, requirement: { scopes: ["write"] } },
    ...{ resultCode: "A064302", refusal: "scope_insufficient", status: 403 },
  },
  "a token without scopes": {
    ...{ token: "own", as: k1, requirement: { scopes: ["read"] } },
    ...{ resultCode: "A064301", refusal: "scope_insufficient", status: 403 },
  },
  "a locked client": {
    ...{
      token: "own",
      as: k1,
      damage: "UPDATE client SET version = version + 1, settings = json_set(settings, '$.locked', json('true'))",
    },
    ...{ resultCode: "A097303", refusal: "client_locked" },
  },
};

const inactiveRefusals = new Set<RefusalCode>([
  ...(["token_unknown", "token_expired", "client_locked", "confirmation_malformed"] as const),
]);

test("the situations below are all that a real backend can refuse for", (t) => {
  const tried = new Set(Object.values(situations).map(({ resultCode }) => resultCode));
  const known = new Set(Object.values(introspectionRefusals).flatMap(({ resultCodes }) => [...resultCodes]));
  // An unreadable certificate never reaches the backend by the library: see the last test.
  known.delete("A065307");
  t.deepEqual([...tried].sort(), [...known].sort());
});

for (const [what, situation] of Object.entries(situations)) {
  test(`backend and library name the same refusal: ${what}`, async (t) => {
    const { api, callApi, refusals, token } = await start(t, situation);
    const standard = async (one: string) =>
      (await api.authIntrospectionStandard({ parameters: `token=${one}` })).responseContent;
    const { as, requirement = {} } = situation;
    const { binding, ...demanded } = requirement;
    t.is(binding, undefined);
    const answer = await api.authIntrospection({
      token,
      ...(as === undefined ? {} : { clientCertificate: as.pem }),
      ...(demanded.scopes === undefined ? {} : { scopes: [...demanded.scopes] }),
      ...(demanded.subject === undefined ? {} : { subject: demanded.subject }),
      ...(demanded.resources === undefined ? {} : { resources: [...demanded.resources] }),
    });
    t.is(answer.resultCode, situation.resultCode);
    for (const decide of ["backend", "library"] as const) {
      t.is((await callApi(decide, token, as)).status, situation.status ?? 401, decide);
    }
    const inactive = JSON.parse((await standard(token)) ?? "") as { active: boolean };
    t.deepEqual(refusals, [situation.refusal, inactive.active ? situation.refusal : "token_unknown"]);
    t.is(inactive.active, !inactiveRefusals.has(situation.refusal));
  });
}

test("over mutual TLS the backend's decision lets the right certificate in, and no other", async (t) => {
  const { callApi, refusals, token } = await start(t, { token: "own" });
  t.is((await callApi("backend", token, k1)).status, 200);
  t.is((await callApi("backend", token, other)).status, 401);
  t.is((await callApi("backend", token)).status, 401);
  t.deepEqual(refusals, ["certificate_mismatch", "certificate_missing"]);
});

test("A065307: the backend blames an unreadable certificate on the certificate", async (t) => {
  const { api, token } = await start(t, { token: "own" });
  const clientCertificate = `subject=CN = client-1\n${k1.pem}`;
  t.like(await api.authIntrospection({ token, clientCertificate }), {
    action: "UNAUTHORIZED",
    resultCode: "A065307",
    resultMessage: "[A065307] The presented certificate cannot be read (there is text outside the PEM block).",
  });
});

/** A backend with the token of the situation, and an API in front of which the library stands in both modes. */
async function start(t: ExecutionContext, situation: Pick<Situation, "token" | "requirement" | "damage" | "later">) {
  const begun = Date.now();
  let now = begun;
  const file = await makeStoreFile(t);
  const { token, api, backendUrl } = await startDeployment(t, {
    clients: [clientSettings({ clientId: 1 })],
    configuration: file.configuration,
    clock: () => now,
  });
  const store = await openStoreBeside(t, file);
  const bound = { clientId: 1, now: begun, x5tS256: k1.x5tS256 };
  const tokens = {
    own: async () => accessTokenOf(t, await token({}, k1, { authorization: basic(1, secretOf(1)) })),
    "of a user": async () => (await keepTokens({ store }, bound)).accessToken,
    unknown: () => Promise.resolve("a-token-that-nobody-issued"),
  };
  const issued = await tokens[situation.token]();
  if (situation.damage !== undefined) file.tamper(situation.damage);
  now += situation.later ?? 0;
  const refusals: string[] = [];
  const backend = {
    ...{ baseUrl: backendUrl, serviceId, credentials: { accessToken: serviceAccessToken } },
    timeout: { attempt: 30_000, total: 30_000 },
  };
  const urls = new Map<"backend" | "library", string>();
  for (const decide of ["backend", "library"] as const) {
    const resourceServer = createResourceServer({
      ...{ backend, decide, cache: false, clock: () => now },
      onDecision: ({ code }) => (code === "granted" ? undefined : refusals.push(code)),
    });
    t.teardown(() => resourceServer.close());
    const app = new Koa<ProtectedState>();
    app.use(protect(resourceServer, situation.requirement === undefined ? {} : { requirement: situation.requirement }));
    app.use((ctx) => {
      ctx.body = "welcome";
    });
    const handle = app.callback();
    urls.set(decide, await serveMutualTls(t, (request, response) => void handle(request, response)));
  }
  const callApi = (decide: "backend" | "library", presented: string, as?: TestCertificate) =>
    send({ url: urls.get(decide) ?? "", as, headers: { authorization: `Bearer ${presented}` } });
  return { api, callApi, refusals, token: issued };
}
