import test from "ava";
import pino from "pino";
import { serveBackend } from "../../src/backend/serve-backend.ts";
import { readConfiguration } from "../../src/backend/configuration/read-configuration.ts";
import { authIntrospection } from "../../src/contract/auth-introspection.ts";
import { type ApiShape, createOpenapiDocument } from "../../src/contract/openapi-document.ts";

// The documents against a backend that listens: what they show as answers is what comes.

const configuration = `
listen: { host: 127.0.0.1, port: 0 }
store: { sqlite: ":memory:" }
log: { level: silent }
services:
  - apiKey: 3693555439
    apiSecret: { env: API_SECRET }
    serviceAccessTokens: [{ env: SERVICE_ACCESS_TOKEN }]
    issuer: https://as.example.com
    clients: []
`;
const env = { API_SECRET: "api-secret-of-the-service", SERVICE_ACCESS_TOKEN: "service-access-token-of-the-service" };

const backend = await serveBackend({
  configuration: await readConfiguration({ path: "backend.yaml", readFile: () => Promise.resolve(configuration), env }),
  log: pino({ level: "silent" }),
});
const { url } = backend.address;
test.after.always(() => backend.close());

const authorization = {
  v3: `Bearer ${env.SERVICE_ACCESS_TOKEN}`,
  v2: `Basic ${Buffer.from(`3693555439:${env.API_SECRET}`).toString("base64")}`,
};
const base = { v3: "/api/3693555439", v2: "/api" };

function ask(shape: ApiShape, path: string, request: { body?: string; method?: string; headers?: object } = {}) {
  const { body = "{}", method = "POST", headers = {} } = request;
  const usual = { "Content-Type": "application/json", Authorization: authorization[shape] };
  return fetch(url + base[shape] + path, { method, headers: { ...usual, ...headers }, body });
}

const errors = {
  Error400: (shape) => ask(shape, "/auth/token", { body: '{"parameters":1}' }),
  Error401: (shape) => fetch(`${url}${base[shape]}/auth/token`, { method: "POST" }),
  Error403: (shape) => ask(shape, "/auth/token", { body: '{"parameters":"","dpop":"a proof"}' }),
  Error404: (shape) => ask(shape, "/auth/tokens"),
  Error405: (shape) => ask(shape, "/auth/token", { method: "PUT" }),
  Error413: (shape) => ask(shape, "/auth/token", { body: `{"parameters":"${"a".repeat(1_048_576)}"}` }),
  Error415: (shape) => ask(shape, "/auth/token", { headers: { "Content-Encoding": "gzip" } }),
} satisfies Record<string, (shape: ApiShape) => Promise<Response>>;

interface ErrorAnswer {
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content: { readonly "application/json": { readonly example: unknown } };
}

for (const shape of ["v3", "v2"] as const) {
  const { components } = createOpenapiDocument({ shape, version: "0" }) as unknown as {
    components: { responses: Record<string, ErrorAnswer> };
  };

  for (const [name, provoke] of Object.entries(errors)) {
    test(`${shape}: ${name} is answered as documented`, async (t) => {
      const documented = components.responses[name];
      const answer = await provoke(shape);
      t.is(answer.status, Number(name.slice("Error".length)));
      t.is(answer.headers.get("Content-Type")?.split(";")[0], "application/json");
      t.deepEqual(await answer.json(), documented?.content["application/json"].example);
      for (const header of Object.keys(documented?.headers ?? {})) t.truthy(answer.headers.get(header), header);
    });
  }

  test(`${shape}: an answer has the documented members and no other`, async (t) => {
    const answer = await ask(shape, "/auth/introspection", { body: '{"token":"unknown"}' });
    const { type, ...members } = (await answer.json()) as Record<string, unknown>;
    t.is(type, shape === "v2" ? "introspectionResponse" : undefined);
    t.is(authIntrospection.response.strict().parse(members).action, "UNAUTHORIZED");
  });
}

for (const path of ["/livez", "/readyz", "/api/lifecycle/healthcheck"]) {
  test(`${path} answers as documented`, async (t) => {
    const documented = createOpenapiDocument({ shape: "v3", version: "0" })["paths"] as Record<string, object>;
    t.truthy(documented[path]);
    const answer = await fetch(`${url}${path}`);
    t.is(answer.status, 200);
    t.regex(answer.headers.get("Content-Type") ?? "", /^text\/plain\b/);
    t.is(await answer.text(), "OK");
    t.is((await fetch(`${url}${path}`, { method: "POST" })).status, 405);
  });
}
