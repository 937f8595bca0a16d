import test from "ava";
import type { z } from "zod";
import { BackendAnswerMalformed } from "../../src/api-client/backend-unavailable.ts";
import { targetOf } from "../../src/api-client/call.ts";
import { createApiClient } from "../../src/api-client/index.ts";
import { type Answer, readAnswer } from "../../src/api-client/read-answer.ts";
import { ApiError } from "../../src/contract/api-error.ts";
import { authTokenDelete } from "../../src/contract/auth-token-delete.ts";
import { info } from "../../src/contract/info.ts";
import { serviceJwksGet } from "../../src/contract/service-jwks-get.ts";
import { startIntrospectionBackend } from "../support/introspection-backend.ts";

const path = "/a/{one}/b/{two}";

for (const [request, target] of [
  [{ one: "1", two: "2" }, "/a/1/b/2"],
  [{ one: "a/b?c#d", two: "%2F é€" }, "/a/a%2Fb%3Fc%23d/b/%252F%20%C3%A9%E2%82%AC"],
  [{ one: "{two}", two: "$&" }, "/a/%7Btwo%7D/b/%24%26"],
  [{ one: "...", two: ".a" }, "/a/.../b/.a"],
  [{ one: 1, two: true, three: null, four: undefined }, "/a/1/b/true"],
  [{ one: "1", two: "2", q: "a&b=c d+é", n: 0, f: false }, "/a/1/b/2?q=a%26b%3Dc+d%2B%C3%A9&n=0&f=false"],
  [{ one: "1", two: "2", list: ["a", "b c"], empty: [], text: "" }, "/a/1/b/2?list=a&list=b+c&text="],
] as const) {
  test(`a request becomes ${target}`, (t) => {
    t.is(targetOf({ path }, request), target);
  });
}

test("an operation that is asked nothing has its path", (t) => {
  t.is(targetOf({ path: "/info" }, undefined), "/info");
});

for (const [what, request] of [
  ["no member for a segment", { one: "1" }],
  ["an empty segment", { one: "", two: "2" }],
  ["a segment that means this folder", { one: ".", two: "2" }],
  ["a segment that means the folder above", { one: "..", two: "2" }],
  ["a segment that is null", { one: null, two: "2" }],
  ["a segment that is an object", { one: {}, two: "2" }],
  ["half a surrogate pair in a segment", { one: "secret\ud800", two: "2" }],
  ["half a surrogate pair in the query", { one: "1", two: "2", q: "secret\ud800" }],
  ["an object in the query", { one: "1", two: "2", q: { a: "secret" } }],
] as const) {
  test(`refused before anything is sent: ${what}`, (t) => {
    const error = t.throws(() => targetOf({ path }, request), { instanceOf: ApiError });
    t.like(error, { status: 400, resultCode: "A126202" });
    t.false(error.message.includes("secret"));
  });
}

test("the api client writes path and query, sends no body, and takes 204 for nothing", async (t) => {
  const backend = await startIntrospectionBackend();
  const credentials = { apiSecret: "api-secret" };
  const timeout = { attempt: 60_000, total: 60_000 };
  const api = createApiClient({ baseUrl: backend.baseUrl, serviceId: 4711, credentials, timeout });
  t.teardown(async () => {
    await api.close();
    await backend.stop();
  });
  backend.respond = (_, response) => {
    response.writeHead(204).end();
    return undefined;
  };
  t.deepEqual(await Promise.all([api.authTokenDelete({ accessTokenIdentifier: "a/b" })]), [undefined]);
  t.is(await api.serviceJwksGet({ includePrivateKeys: true, pretty: null }), undefined);
  await t.throwsAsync(api.authTokenDelete({ accessTokenIdentifier: ".." }), { instanceOf: ApiError });
  t.deepEqual(
    backend.requests.map(({ method, path: asked, body }) => [method, asked, body]),
    [
      ["DELETE", "/api/auth/token/delete/a%2Fb", {}],
      ["GET", "/api/service/jwks/get?includePrivateKeys=true", {}],
    ],
  );
  await t.throwsAsync(api.authIntrospection({ token: "x" }), { instanceOf: BackendAnswerMalformed });
});

test("204 is an answer only where there may be none, and 200 only where there may be one", (t) => {
  const nothing = { statusCode: 204, headers: {}, body: "" };
  const deleted = (answer: Answer): unknown => readAnswer<z.ZodType>(authTokenDelete, answer);
  t.is(deleted(nothing), undefined);
  t.is(readAnswer(serviceJwksGet, nothing), undefined);
  t.throws(() => readAnswer(info, nothing), { instanceOf: BackendAnswerMalformed });
  const something = { statusCode: 200, headers: { "content-type": "application/json" }, body: '{"keys":[]}' };
  t.deepEqual(readAnswer(serviceJwksGet, something), { keys: [] });
  t.throws(() => deleted(something), { instanceOf: BackendAnswerMalformed });
  const empty = { ...something, body: "" };
  t.throws(() => readAnswer(serviceJwksGet, empty), { instanceOf: BackendAnswerMalformed });
});
