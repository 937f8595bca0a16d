import { readFile } from "node:fs/promises";
import test from "ava";
import pino from "pino";
import { parse } from "yaml";
import { z } from "zod";
import { readConfiguration } from "../../src/backend/configuration/read-configuration.ts";
import { serveBackend } from "../../src/backend/serve-backend.ts";
import { authIntrospection } from "../../src/contract/auth-introspection.ts";
import { type ApiShape, createOpenapiDocument } from "../../src/contract/openapi-document.ts";
import { apiErrorBody } from "../../src/contract/openapi-error-answers.ts";
import type { Operation } from "../../src/contract/operation.ts";
import { operations, streams } from "../../src/contract/operations.ts";

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

const root = new URL("../../", import.meta.url);
const { version } = JSON.parse(await readFile(new URL("package.json", root), "utf8")) as { version: string };
test.after.always(() => backend.close());

const files = { v3: "openapi.yaml", v2: "openapi-v2.yaml" } as const;
const shapes = ["v3", "v2"] as const;
const all: [string, Operation][] = Object.entries(operations);

for (const shape of shapes) {
  test(`${files[shape]} agrees with the code`, async (t) => {
    const committed: unknown = parse(await readFile(new URL(files[shape], root), "utf8"));
    t.deepEqual(committed, asJson(createOpenapiDocument({ shape, version })), 'run "npm run openapi"');
  });

  test(`${shape}: every operation has a path, an operationId of its own, a summary and its errors`, (t) => {
    const served = documented(shape);
    t.is(new Set(served.map(({ operationId }) => operationId)).size, served.length);
    for (const [, operation] of all) {
      const found = served.find(({ operationId }) => operationId === operation.operationId);
      const below = shape === "v3" && operation.caller === "service" ? "/api/{serviceId}" : "/api";
      t.is(found?.path, `${below}${operation.path}`);
      t.is(found?.method, operation.method.toLowerCase());
      t.truthy(found?.summary);
      const ofBodies = operation.method === "POST" ? ["413", "415"] : [];
      const refusals = operation.caller === "service" ? ["400", "401", "403", "404", "405", ...ofBodies] : ["405"];
      t.deepEqual(Object.keys(found?.responses ?? {}), [...answeredWith(operation), ...refusals, "500", "503"]);
      t.is(found?.requestBody !== undefined, operation.method === "POST", operation.operationId);
    }
    for (const stream of Object.values(streams)) {
      const found = served.find(({ operationId }) => operationId === stream.operationId);
      t.is(found?.path, `${shape === "v3" ? "/api/{serviceId}" : "/api"}${stream.path}`);
      t.is(found?.method, "get");
      t.truthy(found?.summary);
      t.deepEqual(Object.keys(found?.responses ?? {}), ["200", "400", "401", "404", "405", "500", "503"]);
    }
    t.is(served.length, all.length + Object.keys(streams).length + 3, "operations, streams and the probes");
  });

  test(`${shape}: services authenticate, the other operations are open`, (t) => {
    const scheme = shape === "v3" ? "bearer" : "basic";
    for (const { operationId, security } of documented(shape)) {
      const described = [...Object.values(operations), ...Object.values(streams)];
      const operation = described.find((candidate) => candidate.operationId === operationId);
      t.deepEqual(security, operation?.caller === "service" ? [{ [scheme]: [] }] : [], operationId);
    }
  });

  test(`${shape}: every error answer's example is an error body`, (t) => {
    const { responses } = createOpenapiDocument({ shape, version })["components"] as unknown as Components;
    t.is(Object.keys(responses).length, 9);
    for (const [name, { content }] of Object.entries(responses)) {
      const example = apiErrorBody.strict().safeParse(content["application/json"].example);
      t.true(example.success, name);
      t.regex(example.data?.resultMessage ?? "", new RegExp(`^\\[${example.data?.resultCode ?? ""}\\] .+\\.$`));
    }
  });
}

for (const shape of shapes) {
  test(`${shape}: an operation without a body has its request in path and query, where nothing is null`, (t) => {
    for (const operation of Object.values<Operation>(operations)) {
      if (operation.method === "POST" || !(operation.request instanceof z.ZodObject)) continue;
      const found = documented(shape).find(({ operationId }) => operationId === operation.operationId);
      const parameters = found?.parameters ?? [];
      t.deepEqual(
        parameters.map(({ name }) => name),
        Object.keys(operation.request.shape),
      );
      for (const { name, in: where, required, schema, description } of parameters) {
        const inPath = operation.path.includes(`{${name}}`);
        t.deepEqual([where, required], inPath ? ["path", true] : ["query", false], name);
        // Nothing else can be carried by a URL.
        t.true(["string", "integer", "boolean"].includes(String(schema.type)), name);
        t.false(JSON.stringify(schema).includes("null"), name);
        t.truthy(description, name);
      }
    }
  });

  test(`${shape}: operations by two methods of one path share it`, (t) => {
    const found = documented(shape).filter(({ path }) => path.endsWith("/service/configuration"));
    t.deepEqual(
      found.map(({ method, operationId }) => [method, operationId]),
      [
        ["get", "service_configuration_api"],
        ["post", "service_configuration_api_post"],
      ],
    );
  });
}

for (const [name, operation] of all) {
  test(`${name}: the examples fit the schemas and have no unknown member`, (t) => {
    const { request, response } = operation.example;
    const answer = withoutUndefined(operation.response);
    // A document has whatever members it has.
    const isDocument = operation.path.startsWith("/service/");
    t.deepEqual((isDocument ? answer : closed(answer)).parse(response), response);
    if (operation.request instanceof z.ZodUndefined) t.is(request, undefined);
    else t.deepEqual(closed(operation.request).parse(request), request);
  });

  test(`${name}: its unsupported members are members of its request`, (t) => {
    const members = operation.request instanceof z.ZodObject ? Object.keys(operation.request.shape) : [];
    t.deepEqual(
      (operation.unsupported ?? []).filter((member) => !members.includes(member)),
      [],
    );
  });
}

test("only the v2 answers have a type", (t) => {
  for (const [, { response, v2Type }] of all) {
    const id = response.meta()?.id ?? "";
    t.deepEqual(schemas("v2")[id]?.properties?.["type"]?.enum, v2Type === undefined ? undefined : [v2Type], id);
    t.is(schemas("v3")[id]?.properties?.["type"], undefined, id);
  }
});

test("a request member may be null without a union, an answer may gain members, a number is 64 bits wide", (t) => {
  const { TokenRequest, TokenResponse, Property } = schemas("v3");
  t.like(TokenRequest?.properties?.["clientId"], { type: ["string", "null"], maxLength: 1_048_576 });
  t.like(TokenRequest?.properties?.["accessTokenDuration"], { type: ["integer", "null"], format: "int64", minimum: 0 });
  t.like(TokenRequest?.properties?.["properties"], {
    type: ["array", "null"],
    items: { $ref: "#/components/schemas/Property" },
  });
  t.is(TokenRequest?.additionalProperties, undefined);
  t.is(TokenResponse?.additionalProperties, true);
  t.is(Property?.additionalProperties, undefined);
  t.like(TokenResponse?.properties?.["accessTokenExpiresAt"], { type: "integer", format: "int64" });
});

test("every integer has its format", (t) => {
  for (const shape of shapes) {
    const text = JSON.stringify(createOpenapiDocument({ shape, version }));
    t.is(text.match(/"type":"integer"|"type":\["integer","null"\]/g)?.length, text.match(/"format":"int64"/g)?.length);
  }
});

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean;
  readonly enum?: readonly string[];
}
interface Components {
  readonly schemas: Readonly<Record<string, Schema>>;
  readonly responses: Readonly<Record<string, { content: { "application/json": { example: unknown } } }>>;
}
interface DocumentedOperation {
  readonly path: string;
  readonly method: string;
  readonly operationId: string;
  readonly summary: string;
  readonly security: unknown;
  readonly responses: object;
  readonly requestBody?: object;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly description: string;
    readonly schema: { readonly type?: unknown };
  }[];
}

function schemas(shape: ApiShape) {
  return (createOpenapiDocument({ shape, version })["components"] as unknown as Components).schemas;
}

function documented(shape: ApiShape): DocumentedOperation[] {
  const paths = asJson(createOpenapiDocument({ shape, version })["paths"]) as Record<string, object>;
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => method !== "parameters")
      .map(([method, operation]) => ({ path, method, ...(operation as Omit<DocumentedOperation, "path" | "method">) })),
  );
}

function answeredWith({ response }: Operation): string[] {
  if (response instanceof z.ZodUndefined) return ["204"];
  return response instanceof z.ZodOptional ? ["200", "204"] : ["200"];
}

function withoutUndefined(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodOptional ? (schema.unwrap() as z.ZodType) : schema;
}

function closed(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodObject ? schema.strict() : schema;
}

function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

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
