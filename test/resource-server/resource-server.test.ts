import { inspect } from "node:util";
import test, { type ExecutionContext } from "ava";
import { BackendUnavailable } from "../../src/api-client/backend-unavailable.ts";
import { ApiError } from "../../src/contract/api-error.ts";
import { AccessTokenRefused } from "../../src/resource-server/refusal/access-token-refused.ts";
import { IntrospectionUnavailable } from "../../src/resource-server/refusal/introspection-unavailable.ts";
import { protect, requireScopes } from "../../src/resource-server/middleware/koa.ts";
import { createResourceServer } from "../../src/resource-server/resource-server.ts";
import { startIntrospectionBackend } from "../support/introspection-backend.ts";
import { boundFacts, certificate, createScripted, createScriptedBackend } from "../support/scripted-backend.ts";

const backend = createScriptedBackend();

const wrongOptions: Record<string, [name: RegExp, options: Record<string, unknown>]> = {
  "no backend": [/^backend /, {}],
  "a backend that is text": [/^backend /, { backend: "http://127.0.0.1" }],
  "a connection with a wrong member": [/^serviceId /, { backend: { baseUrl: "http://127.0.0.1", credentials: {} } }],
  "a connection with a misspelt member": [/^baseURL /, { backend: { baseURL: "http://127.0.0.1" } }],
  "an unknown option": [/^resources /, { backend, resources: "x" }],
  "another way of deciding": [/^decide /, { backend, decide: "here" }],
  "an unknown cache option": [/^cache\.tll /, { backend, cache: { tll: 1 } }],
  "a negative ttl": [/^cache\.ttl /, { backend, cache: { ttl: -1 } }],
  "a ttl that is no number": [/^cache\.ttl /, { backend, cache: { ttl: Number.NaN } }],
  "an endless ttl": [/^cache\.ttl /, { backend, cache: { ttl: Infinity } }],
  "a negative ttl for what is not active": [/^cache\.negativeTtl /, { backend, cache: { negativeTtl: -1 } }],
  "no entries": [/^cache\.maxEntries /, { backend, cache: { maxEntries: 0 } }],
  "half an entry": [/^cache\.maxNegativeEntries /, { backend, cache: { maxNegativeEntries: 0.5 } }],
  "no octets": [/^cache\.maxBytes /, { backend, cache: { maxBytes: 0 } }],
  "a push that is text": [/^cache\.push /, { backend, cache: { push: "yes" } }],
  "a negative lease": [/^cache\.lease /, { backend, cache: { lease: -1 } }],
  "endlessly stale": [/^cache\.staleIfUnavailable /, { backend, cache: { staleIfUnavailable: Infinity } }],
  "nobody watched": [/^cache\.maxWatched /, { backend, cache: { maxWatched: 0 } }],
  "questions that are a number": [/^questions /, { backend, questions: 64 }],
  "questions that are null": [/^questions /, { backend, questions: null }],
  "a misspelt limit of questions": [/^questions\.maxConcurent /, { backend, questions: { maxConcurent: 1 } }],
  "no question at a time": [/^questions\.maxConcurrent /, { backend, questions: { maxConcurrent: 0 } }],
  "half a question in the queue": [/^questions\.maxQueued /, { backend, questions: { maxQueued: 0.5 } }],
  "a timeout of 0": [/^timeout /, { backend, timeout: 0 }],
  "an empty resource": [/^resource /, { backend, resource: "" }],
  "a resource that is no text": [/^resource /, { backend, resource: [1] }],
};
for (const [what, [message, options]] of Object.entries(wrongOptions)) {
  test(`an option is refused by its name: ${what}`, (t) => {
    const error = t.throws(() => createResourceServer(options as never), { instanceOf: TypeError, message });
    t.like(error, { code: "ERR_INVALID_OPTION" });
  });
}

const wrongRequests: Record<string, [name: RegExp, request: Record<string, unknown>]> = {
  "no token": [/^token /, { token: undefined }],
  "a token that is no text": [/^token /, { token: ["good"] }],
  "a misspelt demand": [/^requirement\.scope /, { requirement: { scope: ["admin"] } }],
  "a subject that got lost": [/^requirement\.subject /, { requirement: { subject: undefined } }],
  "scopes as text": [/^requirement\.scopes /, { requirement: { scopes: "admin" } }],
  "scopes that are numbers": [/^requirement\.scopes /, { requirement: { scopes: [1] } }],
  "resources as text": [/^requirement\.resources /, { requirement: { resources: "x" } }],
  "a subject that is a number": [/^requirement\.subject /, { requirement: { subject: 1 } }],
  "another binding": [/^requirement\.binding /, { requirement: { binding: "optional" } }],
  "a certificate as PEM text": [/^certificate /, { certificate: "-----BEGIN CERTIFICATE-----" }],
  "a certificate that is null": [/^certificate /, { certificate: null }],
  "a certificate without a thumbprint": [/^certificate /, { certificate: {} }],
  "an invalid thumbprint": [/^certificate /, { certificate: { x5tS256: "abc" } }],
};
for (const [what, [message, request]] of Object.entries(wrongRequests)) {
  test(`an invalid argument is rejected by its name, and opens nothing: ${what}`, async (t) => {
    const { backend: scripted, resourceServer } = createScripted();
    scripted.tokens.set("good", boundFacts());
    const call = resourceServer.authorize({ token: "good", certificate, ...request });
    t.like(await t.throwsAsync(call, { instanceOf: TypeError, message }), { code: "ERR_INVALID_OPTION" });
  });
}

test("a route's wrong demand is refused when the route is made", (t) => {
  const resourceServer = createResourceServer({ backend });
  t.throws(() => protect(resourceServer, { requirement: { scopes: "read" } as never }), { instanceOf: TypeError });
  t.throws(() => requireScopes(1 as never), { instanceOf: TypeError });
});

test("requireScopes without protect before it is an error of the program, and lets nothing in", async (t) => {
  const middleware = requireScopes("read");
  const ctx = { state: { accessToken: { scopes: ["read"] } } };
  const next = () => Promise.resolve(t.fail("it went on"));
  await t.throwsAsync(Promise.resolve(middleware(ctx as never, next)), { message: /protect/ });
});

for (const [resource, aud, open] of [
  ["https://api.example", "https://api.example", true],
  ["https://api.example", ["https://x.example", "https://api.example"], true],
  [["https://api.example", "https://old.example"], "https://old.example", true],
  ["https://api.example", undefined, false],
  ["https://api.example", [], false],
  ["https://api.example", "https://api.example/", false],
  ["https://api.example", "https://API.example", false],
  [["https://api.example", "https://old.example"], "https://x.example", false],
] as const) {
  const tokenIsFor = aud === undefined ? "nobody in particular" : JSON.stringify(aud);
  test(`a token for ${tokenIsFor} ${open ? "opens" : "does not open"} ${JSON.stringify(resource)}, cold and warm`, async (t) => {
    const { backend: scripted, authorize } = createScripted({
      resource,
      onWarning: () => {
        t.fail();
      },
    });
    scripted.tokens.set("token", boundFacts({ aud }));
    for (let n = 0; n < 2; n++) {
      if (open) await t.notThrowsAsync(authorize("token"));
      else t.like(await refusalOf(t, authorize("token")), { code: "audience_mismatch", status: 401 });
    }
    t.is(scripted.asked.length, 1);
  });
}

test("an unchecked audience causes one warning to the operator", async (t) => {
  const codes: string[] = [];
  const { backend: scripted, authorize } = createScripted({ onWarning: ({ code }) => void codes.push(code) });
  for (const token of ["a", "b"]) scripted.tokens.set(token, boundFacts({ aud: "https://other.example" }));
  scripted.tokens.set("plain", boundFacts());
  await authorize("plain");
  await authorize("a", { requirement: { resources: ["https://other.example"] } });
  t.deepEqual(codes, []);
  await authorize("a");
  await authorize("b");
  t.deepEqual(codes, ["CERTBOUND_AUDIENCE_UNCHECKED"]);
});

test("without a place of its own the warning is the process's", async (t) => {
  const warned = new Promise<Error>((resolve) => {
    process.on("warning", (warning: Error & { code?: string }) => {
      if (warning.code === "CERTBOUND_AUDIENCE_UNCHECKED") resolve(warning);
    });
  });
  const { backend: scripted, authorize } = createScripted();
  scripted.tokens.set("a", boundFacts({ aud: "https://other.example" }));
  await authorize("a");
  t.is((await warned).name, "CertboundWarning");
});

test("the realm of a request wins over the resource server's", async (t) => {
  const { authorize } = createScripted({ realm: "house" });
  t.is((await refusalOf(t, authorize("none"))).challenge, 'Bearer realm="house", error="invalid_token"');
  const other = await refusalOf(t, authorize("none", { realm: "room" }));
  t.is(other.challenge, 'Bearer realm="room", error="invalid_token"');
});

test("a refusal carries its answer, and nothing that must not be sent", async (t) => {
  const { backend: scripted, authorize } = createScripted();
  scripted.tokens.set("secret-token", boundFacts());
  const error = await refusalOf(t, authorize("secret-token", { requirement: { scopes: ["admin"] } }));
  t.deepEqual(error.headers, { "WWW-Authenticate": error.challenge, "Cache-Control": "no-store" });
  t.is(error.challenge, 'Bearer error="insufficient_scope", scope="admin"');
  t.is(error.reason, "the token does not cover the scopes");
  t.true(Object.isFrozen(error.headers));
  t.notRegex(seen(error), /secret-token|A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0/);
});

test("no error shows the token, the secret or the request, over HTTP either", async (t) => {
  const backend = await startIntrospectionBackend();
  const timeout = { attempt: 60_000, total: 60_000 };
  const connection = { baseUrl: backend.baseUrl, serviceId: 1, credentials: { apiSecret: "api-secret-7f3a" }, timeout };
  const resourceServer = createResourceServer({ backend: connection, cache: false });
  const authorize = () => resourceServer.authorize({ token: "access-token-5eed", certificate });
  const errors: Error[] = [];
  const answers = [{ status: 500, json: {} }, { status: 401, json: {} }, { json: [] }, undefined] as const;
  for (const answer of answers) {
    backend.respond = (_, response) => answer ?? void response.destroy();
    errors.push(await t.throwsAsync(authorize()));
  }
  backend.respond = undefined;
  errors.push(await t.throwsAsync(authorize(), { instanceOf: AccessTokenRefused }));
  await backend.stop();
  const down = await t.throwsAsync(authorize(), { instanceOf: IntrospectionUnavailable });
  t.true(down.cause instanceof BackendUnavailable);
  errors.push(down);
  const basic = Buffer.from("1:api-secret-7f3a").toString("base64");
  for (const error of errors) {
    t.notRegex(seen(error), /access-token-5eed|api-secret-7f3a/);
    t.false(seen(error).includes(basic));
  }
  await resourceServer.close();
});

test("the Retry-After of an outage is passed on", async (t) => {
  const { backend: scripted, authorize } = createScripted();
  scripted.before = () => {
    throw new ApiError(429, "A001311", "Too many.", { headers: { "Retry-After": "17" } });
  };
  const error = await t.throwsAsync(authorize("token"), { instanceOf: IntrospectionUnavailable });
  t.like(error, { status: 503, headers: { "Retry-After": "17", "Cache-Control": "no-store" } });
});

function refusalOf(t: ExecutionContext, call: Promise<unknown>): Promise<AccessTokenRefused> {
  return t.throwsAsync(call, { instanceOf: AccessTokenRefused });
}

function seen(error: Error): string {
  return (
    inspect(error, { depth: Infinity, showHidden: true, getters: true }) + JSON.stringify(error) + String(error.stack)
  );
}
