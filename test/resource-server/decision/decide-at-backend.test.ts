import test, { type ExecutionContext } from "ava";
import type { IntrospectionOperations, IntrospectionQuestion } from "../../../src/api-client/introspection-caller.ts";
import { readRequirement } from "../../../src/resource-server/decision/read-requirement.ts";
import {
  type AccessTokenRefusalCode,
  AccessTokenRefused,
} from "../../../src/resource-server/refusal/access-token-refused.ts";
import {
  IntrospectionMalformed,
  IntrospectionUnavailable,
} from "../../../src/resource-server/refusal/introspection-unavailable.ts";
import type { ResourceServerOptions } from "../../../src/resource-server/resource-server-options.ts";
import { openResourceServer } from "../../../src/resource-server/resource-server.ts";
import { readCertificate } from "../../../src/x509/read-certificate.ts";
import { createSelfSigned } from "../../support/certificates.ts";
import { start } from "../../support/scripted-backend.ts";

const own = readCertificate(createSelfSigned({ subject: "CN=a" }).pem);
const other = readCertificate(createSelfSigned({ subject: "CN=b" }).pem);

const ok = {
  resultCode: "A056001",
  resultMessage: "[A056001] The access token is valid.",
  action: "OK" as const,
  responseContent: 'Bearer error="invalid_request"',
  certificateThumbprint: own.x5tS256,
  clientId: 4711,
  subject: "user",
  scopes: ["read"],
  existent: true,
  usable: true,
  sufficient: true,
  expiresAt: start + 3_600_000,
};

type Answer = Awaited<ReturnType<IntrospectionOperations["authIntrospection"]>>;

function createDeciding(options: Partial<ResourceServerOptions> = {}) {
  const asked: IntrospectionQuestion[] = [];
  const state = { answer: ok as Answer, wall: start, monotonic: 0 };
  const backend: IntrospectionOperations = {
    authIntrospectionStandard: () => Promise.reject(new Error("the other one is asked")),
    authIntrospection(question) {
      asked.push(question);
      return Promise.resolve(state.answer);
    },
  };
  const resourceServer = openResourceServer(
    { backend, decide: "backend", ...options },
    { clock: () => state.wall, monotonicClock: () => state.monotonic },
  );
  return {
    asked,
    state,
    authorize: (more: Partial<Parameters<typeof resourceServer.authorize>[0]> = {}) =>
      resourceServer.authorize({ token: "token", certificate: own, ...more }),
  };
}

async function refused(t: ExecutionContext, call: Promise<unknown>, code: AccessTokenRefusalCode, status = 401) {
  const error = await t.throwsAsync(call, { instanceOf: AccessTokenRefused });
  t.like(error, { code, status });
  return error;
}

test("token, certificate and requirement are sent, and absent members are not", async (t) => {
  const { asked, authorize } = createDeciding();
  await authorize();
  const requirement = { scopes: ["read"], subject: "user", resources: [] };
  await authorize({ requirement });
  t.deepEqual(Object.keys(asked[0] ?? {}), ["token", "clientCertificate"]);
  t.is(readCertificate(asked[0]?.clientCertificate ?? "").x5tS256, own.x5tS256);
  t.like(asked[1], { token: "token", ...requirement });
});

test("an accepted token has the facts from the backend, frozen", async (t) => {
  const { authorize, state } = createDeciding();
  const accessToken = await authorize();
  t.deepEqual(accessToken, {
    active: true,
    issuer: undefined,
    sub: "user",
    clientId: "4711",
    scopes: ["read"],
    audience: [],
    exp: start / 1000 + 3600,
    iat: undefined,
    nbf: undefined,
    tokenType: undefined,
    x5tS256: own.x5tS256,
    claims: ok,
  });
  t.true(Object.isFrozen(accessToken.claims));
  t.true(Object.isFrozen(accessToken.scopes));
  t.false(Object.isFrozen(state.answer.scopes));
});

for (const [what, change] of Object.entries({
  "a thumbprint under RFC 8705's name that differs": { "x5t#S256": "OID_Sc2yReTDx9QS7f1SMUzNxsh7khJYmaIwqXw8Yuw" },
  "a thumbprint that is empty": { certificateThumbprint: "" },
  "a thumbprint under a misspelt name": { certificateThumbprint: undefined, certificate_thumbprint: own.x5tS256 },
  "the thumbprint of a DPoP key": { certificateThumbprint: undefined, dpopKeyThumbprint: own.x5tS256 },
})) {
  test(`a binding that an accepted answer states binds or refuses: ${what}`, async (t) => {
    const { authorize, state } = createDeciding();
    state.answer = { ...ok, ...change };
    const error = await t.throwsAsync(authorize({ requirement: { binding: "if-bound" } }), {
      instanceOf: AccessTokenRefused,
    });
    t.regex(error.code, /^confirmation_(malformed|unsupported)$/);
  });
}

test("a binding that an accepted answer states beside certificateThumbprint binds like it", async (t) => {
  const { authorize, state } = createDeciding();
  state.answer = { ...ok, certificateThumbprint: undefined, "x5t#S256": own.x5tS256 };
  t.is((await authorize()).x5tS256, own.x5tS256);
  await refused(t, authorize({ certificate: undefined, requirement: { binding: "if-bound" } }), "certificate_missing");
});

test("an accepted answer that names another kind of token opens nothing", async (t) => {
  const { authorize, state } = createDeciding();
  for (const change of [{ tokenType: "refresh_token" }, { typ: "ID" }, { token_use: "device" }]) {
    state.answer = { ...ok, ...change };
    await refused(t, authorize({ token: JSON.stringify(change) }), "token_unknown");
  }
  state.answer = { ...ok, type: "introspectionResponse" };
  await t.notThrowsAsync(authorize({ token: "as version 2 answers" }));
});

test("the client is named by its alias when the token request did so", async (t) => {
  const { authorize, state } = createDeciding();
  state.answer = { ...ok, clientIdAlias: "my-client", clientIdAliasUsed: true };
  t.is((await authorize()).clientId, "my-client");
});

test("an answer is reused for the identical question only", async (t) => {
  const { asked, authorize } = createDeciding();
  const questions = [
    {},
    { token: "other" },
    { requirement: { scopes: ["read"] } },
    { requirement: { scopes: ["read", "write"] } },
    { requirement: { subject: "user" } },
    { requirement: { resources: ["https://api.example.com"] } },
  ];
  for (const question of questions) await authorize(question).catch(() => undefined);
  t.is(asked.length, questions.length);
  for (const question of questions) await authorize(question).catch(() => undefined);
  t.is(asked.length, questions.length);
  await authorize({ certificate: other }).catch(() => undefined);
  await authorize({ certificate: undefined }).catch(() => undefined);
  t.is(asked.length, questions.length + 2);
});

test("an accepted token must be bound to the present certificate, whatever the backend answers", async (t) => {
  const { authorize, state } = createDeciding();
  await refused(t, authorize({ certificate: other }), "certificate_mismatch");
  await refused(t, authorize({ certificate: undefined }), "certificate_missing");
  await refused(t, authorize({ certificate: undefined, requirement: { binding: "if-bound" } }), "certificate_missing");
  for (const certificateThumbprint of ["", "x", `${own.x5tS256}=`]) {
    state.answer = { ...ok, certificateThumbprint };
    await refused(t, authorize({ token: `token-${certificateThumbprint}` }), "confirmation_malformed");
  }
  const { certificateThumbprint, ...unbound } = ok;
  t.truthy(certificateThumbprint);
  state.answer = unbound;
  await refused(t, authorize({ token: "unbound" }), "token_unbound");
  await t.notThrowsAsync(authorize({ token: "unbound", requirement: { binding: "if-bound" } }));
});

test("7662-4-f: a cached answer expires at exactly expiresAt, though its ttl is longer", async (t) => {
  const { asked, authorize, state } = createDeciding({ cache: { ttl: 86_400 } });
  await authorize();
  state.monotonic = 3_599_999;
  await authorize();
  t.is(asked.length, 1);
  state.monotonic = 3_600_000;
  state.wall = ok.expiresAt;
  await refused(t, authorize(), "token_expired");
  t.is(asked.length, 2);
});

test("an answer is used for the ttl, a refusal for the negativeTtl", async (t) => {
  const { asked, authorize, state } = createDeciding({ cache: { ttl: 10, negativeTtl: 1 } });
  await authorize();
  state.monotonic = 10_000;
  await authorize();
  t.is(asked.length, 1);
  state.monotonic = 10_001;
  state.answer = { resultCode: "A057302", resultMessage: "", action: "UNAUTHORIZED" };
  await refused(t, authorize(), "token_unknown");
  state.monotonic = 11_001;
  await refused(t, authorize(), "token_unknown");
  t.is(asked.length, 2);
  state.monotonic = 11_002;
  await refused(t, authorize(), "token_unknown");
  t.is(asked.length, 3);
});

const refusals = [
  ["UNAUTHORIZED", "A057302", "token_unknown", 401],
  ["UNAUTHORIZED", "A057303", "token_unknown", 401],
  ["UNAUTHORIZED", "A064303", "audience_mismatch", 401],
  ["UNAUTHORIZED", "A065301", "token_expired", 401],
  ["UNAUTHORIZED", "A065302", "token_expired", 401],
  ["UNAUTHORIZED", "A065303", "token_expired", 401],
  ["UNAUTHORIZED", "A065304", "certificate_missing", 401],
  ["UNAUTHORIZED", "A065305", "certificate_mismatch", 401],
  ["UNAUTHORIZED", "A065306", "confirmation_malformed", 401],
  ["UNAUTHORIZED", "A065307", "certificate_unreadable", 401],
  ["UNAUTHORIZED", "A097303", "client_locked", 401],
  ["UNAUTHORIZED", "A999999", "token_unknown", 401],
  ["FORBIDDEN", "A064301", "scope_insufficient", 403],
  ["FORBIDDEN", "A064302", "scope_insufficient", 403],
  ["FORBIDDEN", "A066301", "subject_missing", 403],
  ["FORBIDDEN", "A066302", "subject_mismatch", 403],
  ["FORBIDDEN", "A999999", "scope_insufficient", 403],
  ["BAD_REQUEST", "A057301", "request_malformed", 400],
  // The action decides over the status, whatever the code would mean elsewhere.
  ["FORBIDDEN", "A057302", "scope_insufficient", 403],
  ["UNAUTHORIZED", "A064302", "token_unknown", 401],
] as const;
for (const [action, resultCode, code, status] of refusals) {
  test(`${action} with ${resultCode} is ${code}, ${status}`, async (t) => {
    const { authorize, state } = createDeciding();
    state.answer = { action, resultCode, resultMessage: `[${resultCode}] No.`, responseContent: 'Bearer error="x"' };
    const error = await refused(t, authorize(), code, status);
    t.is(error.reason, `the backend refused: ${resultCode}`);
    t.false(error.challenge.includes(resultCode));
  });
}

test("INTERNAL_SERVER_ERROR is an outage, another action or a contradiction malformed", async (t) => {
  const { asked, authorize, state } = createDeciding();
  state.answer = { action: "INTERNAL_SERVER_ERROR", resultCode: "A001101", resultMessage: "" };
  await t.throwsAsync(authorize(), { instanceOf: IntrospectionUnavailable });
  state.answer = { ...ok, action: "ok" as "OK" };
  await t.throwsAsync(authorize(), { instanceOf: IntrospectionMalformed });
  for (const contradiction of [{ usable: false }, { existent: false }, { sufficient: false }]) {
    state.answer = { ...ok, ...contradiction };
    await t.throwsAsync(authorize(), { instanceOf: IntrospectionMalformed });
  }
  state.answer = ok;
  await t.notThrowsAsync(authorize());
  t.is(asked.length, 6);
});

test("the API's own name is demanded of the token's resources", async (t) => {
  const { authorize, state } = createDeciding({ resource: ["https://a.example", "https://b.example"] });
  await refused(t, authorize(), "audience_mismatch");
  state.answer = { ...ok, accessTokenResources: ["https://b.example"] };
  await t.notThrowsAsync(authorize({ token: "second" }));
});

test("an unreadable certificate is refused without asking", async (t) => {
  const { asked, authorize } = createDeciding();
  await refused(t, authorize({ certificate: { unreadable: "not_der" } }), "certificate_unreadable");
  t.is(asked.length, 0);
});

test("a certificate without its DER cannot be passed on: the program is wrong", async (t) => {
  const { authorize } = createDeciding();
  const error = await t.throwsAsync(authorize({ certificate: { x5tS256: own.x5tS256 } }), { instanceOf: TypeError });
  t.like(error, { code: "ERR_INVALID_OPTION" });
});

test("an answer is read once, and no later change by its author has an effect", (t) => {
  const scopes = ["read"];
  const resources = ["https://api.example.com"];
  const requirement = { scopes, resources, maxAge: 1 };
  const read = readRequirement(requirement);
  t.is(readRequirement(read), read);
  scopes.pop();
  resources.push("https://other.example.com");
  requirement.maxAge = 60;
  t.deepEqual(read, {
    binding: "required",
    scopes: ["read"],
    resources: ["https://api.example.com"],
    maxAge: 1,
  });
  t.throws(() => (read.scopes as string[]).push("admin"), { instanceOf: TypeError });
  t.throws(() => Object.assign(read, { binding: "if-bound" }), { instanceOf: TypeError });
});

test("one that only looks like one that was read is read anew", (t) => {
  const read = readRequirement({ scopes: ["read"] });
  t.throws(() => readRequirement({ ...read, ...{ scope: "read" } }), { code: "ERR_INVALID_OPTION" });
  t.throws(() => readRequirement(Object.create(read) as typeof read), { code: "ERR_INVALID_OPTION" });
});
