import test from "ava";
import { BackendAnswerMalformed, BackendUnavailable } from "../../src/api-client/backend-unavailable.ts";
import { StoreFailure } from "../../src/backend/store/store.ts";
import { ApiError } from "../../src/contract/api-error.ts";
import { createAuthority, createSelfSigned } from "../support/certificates.ts";
import { assertErrorForm } from "../support/error-form.ts";
import { basic, postForm } from "../support/https-request.ts";
import { apiServer, asApiServer, paths, plainServer, serveEndpoints } from "./served-endpoints.ts";

const operationOf = {
  "/token": "authToken",
  "/revoke": "authRevocation",
  "/introspect": "authIntrospectionStandard",
} as const;

const clientHeader = { authorization: basic("client 1", "s:e+c%r é") };
const challenge = 'Basic realm="test", charset="UTF-8"';

for (const path of ["/token", "/revoke"] as const) {
  for (const [action, headers, status, challenged] of [
    ["OK", {}, 200, undefined],
    ["OK", clientHeader, 200, undefined],
    ["BAD_REQUEST", {}, 400, undefined],
    ["BAD_REQUEST", clientHeader, 400, undefined],
    ["INVALID_CLIENT", {}, 400, undefined],
    ["INVALID_CLIENT", clientHeader, 401, challenge],
    ["INTERNAL_SERVER_ERROR", {}, 500, undefined],
    ["INTERNAL_SERVER_ERROR", clientHeader, 500, undefined],
  ] as const) {
    const how = "authorization" in headers ? "with" : "without";
    test(`POST ${path} ${how} an Authorization header: ${action} is ${status} with the backend's words`, async (t) => {
      const responseContent = `{"said":"é ${action}"}`;
      const { post, asked } = await serveEndpoints(t, () => ({ action, responseContent }));
      const answer = await post(path, { headers });
      t.is(answer.status, status);
      t.is(answer.body, responseContent);
      t.is(answer.headers["content-type"], "application/json");
      t.is(answer.headers["content-length"], String(Buffer.byteLength(responseContent)));
      t.is(answer.headers["cache-control"], "no-store");
      t.is(answer.headers.pragma, "no-cache");
      t.is(answer.headers["www-authenticate"], challenged);
      t.is(answer.headers["retry-after"], undefined);
      t.deepEqual(
        asked.map(({ operation }) => operation),
        [operationOf[path]],
      );
    });
  }

  test(`POST ${path}: Basic credentials go on form-decoded, the body untouched`, async (t) => {
    const { post, asked } = await serveEndpoints(t);
    await post(path, { headers: clientHeader }, "a=%zz&client_id=2");
    await post(path, { headers: { authorization: basic(2, "") } });
    await post(path);
    t.deepEqual(
      asked.map(({ request }) => request),
      [
        { parameters: "a=%zz&client_id=2", clientId: "client 1", clientSecret: "s:e+c%r é", clientCertificatePath: [] },
        { parameters: "token=x", clientId: "2", clientSecret: "", clientCertificatePath: [] },
        { parameters: "token=x", clientCertificatePath: [] },
      ],
    );
  });

  test(`POST ${path} with an Authorization header without Basic credentials is 401, without a request`, async (t) => {
    const { post, asked } = await serveEndpoints(t);
    for (const authorization of [
      "Bearer abc",
      "Basic",
      "Basic !",
      "Basic YQ==",
      "Basic YTolegg=",
      "Digest a=b",
      basic("", ""),
      basic("", "x"),
    ]) {
      const answer = await post(path, { headers: { authorization } });
      assertErrorForm(t, answer, "invalid_client", [401]);
      t.is(answer.headers["www-authenticate"], challenge);
    }
    t.deepEqual(asked, []);
  });

  test(`POST ${path}: the handshake's certificate is passed on, with the path the client sent`, async (t) => {
    const { post, asked } = await serveEndpoints(t);
    const root = createAuthority({ subject: "CN=Root" });
    const between = createAuthority({ subject: "CN=Between", parent: root });
    const leaf = between.issue({ subject: "CN=client" });
    const alone = createSelfSigned({ subject: "CN=alone" });
    const claims = {
      "Client-Cert": `:${alone.der.toString("base64")}:`,
      "X-Client-Cert": alone.der.toString("base64"),
      "X-SSL-Client-Cert": encodeURIComponent(alone.pem),
    };
    const body = `token=x&clientCertificate=${encodeURIComponent(alone.pem)}`;
    const chain = { cert: leaf.pem + between.certificate.pem, key: leaf.key };
    t.is((await post(path, { ...chain, headers: claims }, body)).status, 200);
    t.is((await post(path, { headers: claims }, body)).status, 200);
    t.is((await post(path, { as: alone })).status, 200);
    const [withChain, withNone, withOne] = asked.map(({ request }) => request as object);
    t.deepEqual(withChain, {
      parameters: body,
      clientCertificate: leaf.pem,
      clientCertificatePath: [between.certificate.pem],
    });
    t.deepEqual(withNone, { parameters: body, clientCertificatePath: [] });
    t.deepEqual(withOne, { parameters: "token=x", clientCertificate: alone.pem, clientCertificatePath: [] });
  });
}

test("a revocation that is done has no body and no content type", async (t) => {
  const { post } = await serveEndpoints(t, () => ({ action: "OK" }));
  const answer = await post("/revoke");
  t.is(answer.status, 200);
  t.is(answer.body, "");
  t.is(answer.headers["content-type"], undefined);
  t.is(answer.headers["content-length"], "0");
  t.is(answer.headers["cache-control"], "no-store");
});

test("a realm cannot break out of its quotes", async (t) => {
  const { post } = await serveEndpoints(t, () => ({ action: "INVALID_CLIENT" }), { realm: 'a"b\\c", x="' });
  const atToken = await post("/token", { headers: clientHeader });
  t.is(atToken.headers["www-authenticate"], 'Basic realm="abc, x=", charset="UTF-8"');
  const atIntrospection = await post("/introspect", { headers: { authorization: "" } });
  t.is(atIntrospection.headers["www-authenticate"], 'Basic realm="abc, x="');
});

for (const [action, status] of [
  ["OK", 200],
  ["BAD_REQUEST", 400],
  ["INTERNAL_SERVER_ERROR", 500],
] as const) {
  test(`POST /introspect: ${action} is ${status} with the backend's words`, async (t) => {
    const responseContent = `{"said":"é ${action}"}`;
    const { post } = await serveEndpoints(t, () => ({ action, responseContent }));
    const answer = await post("/introspect");
    t.is(answer.status, status);
    t.is(answer.body, responseContent);
    t.is(answer.headers["content-type"], "application/json");
    t.is(answer.headers["cache-control"], "no-store");
    t.is(answer.headers.pragma, "no-cache");
    t.is(answer.headers["www-authenticate"], undefined);
    t.is(answer.headers["retry-after"], undefined);
  });
}

test("the authenticated resource server's rsUri is passed on, and a body cannot name another", async (t) => {
  const { post, asked } = await serveEndpoints(t);
  const body = "token=x&rsUri=https://other.example.com&rs_uri=https://other.example.com";
  await post("/introspect", { as: createSelfSigned({ subject: "CN=api" }) }, body);
  await post("/introspect", { headers: { authorization: basic(plainServer.id, plainServer.secret) } }, body);
  t.deepEqual(asked, [
    { operation: "authIntrospectionStandard", request: { parameters: body, rsUri: apiServer.rsUri } },
    { operation: "authIntrospectionStandard", request: { parameters: body } },
  ]);
});

for (const [what, authorization] of Object.entries({
  "a wrong secret": basic(apiServer.id, "wrong"),
  "a secret that is longer": basic(apiServer.id, `${apiServer.secret}x`),
  "no secret": basic(apiServer.id, ""),
  "the secret of another": basic(apiServer.id, plainServer.secret),
  "an unknown id": basic("other", apiServer.secret),
  "an id of another case": basic("API", apiServer.secret),
  "a secret that is not form-encoded": `Basic ${Buffer.from(`${plainServer.id}:${plainServer.secret}`).toString("base64")}`,
  "a Bearer token": `Bearer ${apiServer.secret}`,
  "an empty header": "",
  "broken Basic credentials": "Basic ===",
})) {
  test(`POST /introspect with ${what} is 401, and the backend is not asked`, async (t) => {
    const { post, asked } = await serveEndpoints(t);
    const answer = await post("/introspect", { headers: { authorization } });
    assertErrorForm(t, answer, "invalid_client", [401]);
    t.is(answer.headers["www-authenticate"], 'Basic realm="test"');
    t.deepEqual(asked, []);
  });
}

test("POST /introspect without credentials is 401; a certificate or a body's secret does not count", async (t) => {
  const { url, asked } = await serveEndpoints(t);
  const as = createSelfSigned({ subject: `CN=${apiServer.id}` });
  const form = { token: "x", client_id: apiServer.id, client_secret: apiServer.secret };
  assertErrorForm(t, await postForm({ url: `${url}/introspect`, as }, form), "invalid_client", [401]);
  t.deepEqual(asked, []);
});

const told = "words-for-the-operator-alone";
const failures = [
  [new ApiError(400, "A000400", told), 500],
  [new ApiError(401, "A003204", told), 500],
  [new ApiError(403, "A001223", told), 500],
  [new ApiError(404, "A000404", told), 500],
  [new ApiError(500, "A000500", told), 503],
  [new ApiError(503, "A000503", told), 503],
  [new BackendUnavailable(told, "ECONNREFUSED"), 503],
  [new BackendAnswerMalformed(told), 503],
  [new StoreFailure(told), 503],
  [new Error(told), 503],
] as const;

for (const path of paths) {
  for (const [error, status] of failures) {
    const what = error instanceof ApiError ? `${error.name} ${error.status}` : error.name;
    test(`POST ${path}: a backend that fails with ${what} is ${status} to the client and no more`, async (t) => {
      const served = await serveEndpoints(t, () => error);
      const headers = path === "/introspect" ? asApiServer : clientHeader;
      const answer = await served.post(path, { headers });
      assertErrorForm(t, answer, status === 500 ? "server_error" : "temporarily_unavailable", [status]);
      t.is(answer.headers["retry-after"], status === 503 ? "1" : undefined);
      t.is(answer.headers.pragma, "no-cache");
      t.is(answer.headers["www-authenticate"], undefined);
      t.false(JSON.stringify(answer).includes(told));
      t.notRegex(answer.body, /A00|ECONNREFUSED|ApiError|StoreFailure/);
      t.is(served.failures.length, 1);
      t.is(served.failures[0], error);
    });
  }

  test(`POST ${path}: onBackendFailure is optional, and an error response is no backend failure`, async (t) => {
    const unheard = await serveEndpoints(t, () => new Error(told), { onBackendFailure: null });
    t.is((await unheard.post(path)).status, 503);
    const fine = await serveEndpoints(t, () => ({ action: "BAD_REQUEST", responseContent: "{}" }));
    t.is((await fine.post(path)).status, 400);
    t.deepEqual(fine.failures, []);
  });
}
