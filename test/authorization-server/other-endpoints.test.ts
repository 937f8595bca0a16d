import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import test from "ava";
import {
  discoveryEndpoint,
  introspectionEndpoint,
  jwksEndpoint,
  nodeHandler,
  tokenEndpoint,
  userInfoEndpoint,
  type AuthenticateUser,
  type Endpoint,
  type EndpointRequest,
} from "../../src/authorization-server/index.ts";
import { ApiError } from "../../src/contract/api-error.ts";

/** Operations that answer what the test says, and write down what they were asked. */
function scripted(says: Readonly<Record<string, unknown>>) {
  const asked: [string, unknown][] = [];
  const failures: unknown[] = [];
  const backend = Object.fromEntries(
    Object.entries(says).map(([name, said]) => [
      name,
      (request: unknown) => {
        asked.push([name, request]);
        return said instanceof Error ? Promise.reject(said) : Promise.resolve(said);
      },
    ]),
  ) as never;
  return {
    asked,
    failures,
    common: { backend, realm: 'r"', onBackendFailure: (error: unknown) => failures.push(error) },
  };
}

const call = (endpoint: Endpoint, request: Partial<EndpointRequest> = {}) =>
  endpoint({ method: "GET", body: "", ...request });

const noStore = { "cache-control": "no-store", pragma: "no-cache" };
const fault = new Error("words for the operator");

// The password grant.

const password = { action: "PASSWORD", username: "alice", password: "p", ticket: "t" };
const tokenRequest = {
  method: "POST",
  contentType: "application/x-www-form-urlencoded",
  body: "grant_type=password",
} as const;

for (const [what, known, said, status, wanted] of [
  ["a right password", true, { action: "OK" }, 200, ["authTokenIssue", { ticket: "t", subject: "s" }]],
  [
    "a ticket that is over",
    true,
    { action: "INTERNAL_SERVER_ERROR" },
    500,
    ["authTokenIssue", { ticket: "t", subject: "s" }],
  ],
  [
    "a wrong password",
    false,
    { action: "BAD_REQUEST" },
    400,
    ["authTokenFail", { ticket: "t", reason: "INVALID_RESOURCE_OWNER_CREDENTIALS" }],
  ],
] as const) {
  test(`the password grant with ${what} is ${status} with the backend's words`, async (t) => {
    const end = { ...said, responseContent: '{"x":1}' };
    const { asked, failures, common } = scripted({ authToken: password, authTokenIssue: end, authTokenFail: end });
    const authenticateUser = (username: string, given: string) => {
      t.deepEqual([username, given], ["alice", "p"]);
      return known ? { subject: "s" } : undefined;
    };
    const answer = await call(tokenEndpoint({ ...common, authenticateUser }), tokenRequest);
    t.deepEqual(answer, { status, headers: { ...noStore, "content-type": "application/json" }, body: '{"x":1}' });
    t.deepEqual(asked.slice(1), [wanted]);
    t.deepEqual(failures, []);
  });
}

test("the password grant without a user table is a server error that the operator can read", async (t) => {
  const { asked, failures, common } = scripted({ authToken: password });
  const answer = await call(tokenEndpoint(common), tokenRequest);
  t.is(answer.status, 500);
  t.deepEqual(JSON.parse(answer.body), {
    error: "server_error",
    error_description: "The request could not be processed.",
  });
  t.is(asked.length, 1);
  t.regex((failures[0] as Error).message, /authenticateUser/);
});

test("retryAfter from the user table is 429 with Retry-After, and no ticket is used", async (t) => {
  const { asked, failures, common } = scripted({ authToken: { ...password, clientId: 4711 } });
  const attempts: unknown[] = [];
  const authenticateUser: AuthenticateUser = (_name, _password, attempt) => {
    attempts.push(attempt);
    return { retryAfter: 30 };
  };
  const answer = await call(tokenEndpoint({ ...common, authenticateUser }), { ...tokenRequest, address: "192.0.2.1" });
  t.is(answer.status, 429);
  t.is(answer.headers["retry-after"], "30");
  t.is((JSON.parse(answer.body) as { error: string }).error, "temporarily_unavailable");
  t.deepEqual(attempts, [{ address: "192.0.2.1", clientId: "4711" }]);
  t.is(asked.length, 1);
  t.deepEqual(failures, []);
});

test("a failing user table is 503 to the client, and the operator learns why", async (t) => {
  const { asked, failures, common } = scripted({ authToken: password });
  const endpoint = tokenEndpoint({ ...common, authenticateUser: () => Promise.reject(fault) });
  const answer = await call(endpoint, tokenRequest);
  t.is(answer.status, 503);
  t.is(answer.headers["retry-after"], "1");
  t.false(answer.body.includes("operator"));
  t.is(asked.length, 1);
  t.deepEqual(failures, [fault]);
});

test("a backend that fails after the password is 503 to the client", async (t) => {
  const { failures, common } = scripted({ authToken: password, authTokenIssue: fault });
  const endpoint = tokenEndpoint({ ...common, authenticateUser: () => ({ subject: "s" }) });
  t.is((await call(endpoint, tokenRequest)).status, 503);
  t.deepEqual(failures, [fault]);
});

// The introspection endpoint.

test("introspection whose list of resource servers fails is 503, and the operator learns why", async (t) => {
  const { asked, failures, common } = scripted({ authIntrospectionStandard: { action: "OK" } });
  for (const authenticate of [
    () => Promise.reject(fault),
    () => {
      throw fault;
    },
  ]) {
    const answer = await call(introspectionEndpoint({ ...common, authenticate }), tokenRequest);
    t.is(answer.status, 503);
    t.false(answer.body.includes("operator"));
  }
  t.deepEqual(asked, []);
  t.deepEqual(failures, [fault, fault]);
});

// The userinfo endpoint.

test("userinfo with a token in header and query is 400, with an unreadable form 415", async (t) => {
  const { asked, common } = scripted({ authUserinfo: { action: "UNAUTHORIZED", responseContent: "Bearer x" } });
  const endpoint = userInfoEndpoint({ ...common, claims });
  const contentType = "application/x-www-form-urlencoded;charset=utf-7";
  const form = { method: "POST", contentType, body: "access+AF8-token=abc", authorization: "Bearer abc" };
  t.is((await call(endpoint, form)).status, 415);
  const server = createServer(nodeHandler({ "/userinfo": endpoint }));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/userinfo`;
  const get = async (query: string) =>
    (await fetch(url + query, { headers: { authorization: "Bearer abc", connection: "close" } })).status;
  for (const query of ["?access_token=abc", "?a=1&access%5Ftoken="]) t.is(await get(query), 400);
  t.deepEqual(asked, []);
  t.is(await get("?schema=openid"), 401);
  t.is(await get(""), 401);
  t.is(asked.length, 2);
});

test("userinfo with a token in the header and in the form is 400: one method a request", async (t) => {
  const { asked, common } = scripted({ authUserinfo: { action: "UNAUTHORIZED", responseContent: "Bearer x" } });
  const endpoint = userInfoEndpoint({ ...common, claims });
  const request = { ...tokenRequest, authorization: "Bearer abc" };
  for (const body of ["access_token=abc", "a=1&access%5Ftoken=x", "access_token"]) {
    const answer = await call(endpoint, { ...request, body });
    t.is(answer.status, 400);
    t.regex(answer.headers["www-authenticate"] as string, /error="invalid_request"$/);
  }
  t.deepEqual(asked, []);
  t.is((await call(endpoint, { ...request, body: "a=access_token" })).status, 401);
  t.is(asked.length, 1);
});

const known = { action: "OK", token: "abc", subject: "s", claims: ["email", "name"] };
const claims = (): Readonly<Record<string, unknown>> => ({ email: "s@example.com", secret: "x" });

for (const method of ["GET", "POST"]) {
  test(`${method} userinfo: the token and the connection's certificate go on, and the claims that are wanted`, async (t) => {
    const { asked, common } = scripted({
      authUserinfo: known,
      authUserinfoIssue: { action: "JSON", responseContent: '{"sub":"s"}' },
    });
    const endpoint = userInfoEndpoint({ ...common, claims });
    const authorization = "Bearer abc";
    const answer = await call(endpoint, {
      method,
      authorization,
      clientCertificate: "PEM",
      body: "access_token=other",
    });
    t.deepEqual(answer, {
      status: 200,
      headers: { ...noStore, "content-type": "application/json;charset=UTF-8" },
      body: '{"sub":"s"}',
    });
    t.deepEqual(asked, [
      ["authUserinfo", { token: "abc", clientCertificate: "PEM" }],
      ["authUserinfoIssue", { token: "abc", claims: '{"email":"s@example.com"}' }],
    ]);
  });
}

test("userinfo returns what the user consented to, and nothing else", async (t) => {
  for (const [consentedClaims, told] of [
    [["sub", "name"], { name: "S" }],
    [["sub", "email", "name", "secret"], { email: "s@example.com", name: "S" }],
    [["sub"], undefined],
    [undefined, { email: "s@example.com", name: "S" }],
  ] as const) {
    const { asked, common } = scripted({
      authUserinfo: { ...known, consentedClaims },
      authUserinfoIssue: { action: "JSON", responseContent: "{}" },
    });
    const more = () => ({ ...claims(), name: "S" });
    await call(userInfoEndpoint({ ...common, claims: more }), { authorization: "Bearer abc" });
    const { claims: said } = asked[1]?.[1] as { claims?: string };
    t.deepEqual(said === undefined ? undefined : (JSON.parse(said) as unknown), told);
  }
});

test("userinfo without a certificate and without claims sends neither", async (t) => {
  const { asked, common } = scripted({
    authUserinfo: { action: "OK", subject: "s" },
    authUserinfoIssue: { action: "JSON", responseContent: "{}" },
  });
  await call(userInfoEndpoint({ ...common, claims }), { authorization: "bearer abc" });
  t.deepEqual(asked, [
    ["authUserinfo", { token: "abc" }],
    ["authUserinfoIssue", { token: "abc" }],
  ]);
});

for (const [action, status] of [
  ["BAD_REQUEST", 400],
  ["UNAUTHORIZED", 401],
  ["FORBIDDEN", 403],
  ["INTERNAL_SERVER_ERROR", 500],
] as const) {
  for (const step of ["authUserinfo", "authUserinfoIssue"]) {
    test(`userinfo: ${action} of ${step} is ${status} with the backend's challenge and no body`, async (t) => {
      const challenge = 'Bearer error="invalid_token"';
      const { common } = scripted({ authUserinfo: known, [step]: { action, responseContent: challenge } });
      const answer = await call(userInfoEndpoint({ ...common, claims }), { authorization: "Bearer abc" });
      t.deepEqual(answer, { status, headers: { ...noStore, "www-authenticate": challenge }, body: "" });
    });
  }
}

for (const [authorization, status, challenge] of [
  [undefined, 401, 'Bearer realm="r"'],
  ["Basic eDp5", 401, 'Bearer realm="r"'],
  ["Bearer", 400, 'Bearer realm="r", error="invalid_request"'],
  ["Bearer a b", 400, 'Bearer realm="r", error="invalid_request"'],
] as const) {
  test(`userinfo with ${authorization ?? "no Authorization header"} is ${status}, without a request`, async (t) => {
    const { asked, common } = scripted({ authUserinfo: known });
    const answer = await call(userInfoEndpoint({ ...common, claims }), {
      method: "POST",
      body: "access_token=abc",
      ...(authorization === undefined ? {} : { authorization }),
    });
    t.deepEqual(answer, { status, headers: { ...noStore, "www-authenticate": challenge }, body: "" });
    t.deepEqual(asked, []);
  });
}

for (const [what, says, claimsOf, status] of [
  ["a user table that fails", { authUserinfo: known }, () => Promise.reject(fault), 503],
  ["a backend that fails", { authUserinfo: fault }, claims, 503],
  ["a backend that fails later", { authUserinfo: known, authUserinfoIssue: fault }, claims, 503],
  ["a backend that refuses us", { authUserinfo: new ApiError(403, "A000403", "operator") }, claims, 500],
] as const) {
  test(`userinfo with ${what} is ${status}, and the operator learns why`, async (t) => {
    const { failures, common } = scripted(says);
    const answer = await call(userInfoEndpoint({ ...common, claims: claimsOf }), { authorization: "Bearer abc" });
    t.is(answer.status, status);
    t.false(answer.body.includes("operator"));
    t.is(failures.length, 1);
  });
}

test("userinfo takes GET, HEAD and POST", async (t) => {
  const { asked, common } = scripted({ authUserinfo: known });
  const answer = await call(userInfoEndpoint({ ...common, claims }), { method: "PUT", authorization: "Bearer abc" });
  t.is(answer.status, 405);
  t.is(answer.headers["allow"], "GET, HEAD, POST");
  t.deepEqual(asked, []);
});

// Documents.

for (const [what, open, operation] of [
  ["discovery", discoveryEndpoint, "serviceConfiguration"],
  ["keys", jwksEndpoint, "serviceJwksGet"],
] as const) {
  test(`${what}: the backend's document, which may be kept for a minute`, async (t) => {
    const { asked, common } = scripted({ [operation]: { keys: [] } });
    for (const method of ["GET", "HEAD"]) {
      const answer = await call(open(common), { method });
      t.is(answer.status, 200);
      t.is(answer.headers["content-type"], "application/json");
      t.is(answer.headers["cache-control"], "public, max-age=60");
      t.is(answer.headers["pragma"], undefined);
      t.is(answer.body, '{"keys":[]}');
    }
    // Nothing of the request goes on: no patch, and no private keys.
    t.deepEqual(asked[0], [operation, {}]);
    const posted = await call(open(common), { method: "POST" });
    t.is(posted.status, 405);
    t.is(posted.headers["allow"], "GET, HEAD");
    t.is(asked.length, 2);
  });

  test(`${what}: a backend that fails is 503, which is not kept`, async (t) => {
    const { failures, common } = scripted({ [operation]: fault });
    const answer = await call(open(common));
    t.is(answer.status, 503);
    t.is(answer.headers["cache-control"], "no-store");
    t.deepEqual(failures, [fault]);
  });
}

test("an authorization server without keys has no document of keys", async (t) => {
  const { common } = scripted({ serviceJwksGet: undefined });
  t.is((await call(jwksEndpoint(common))).status, 404);
});
