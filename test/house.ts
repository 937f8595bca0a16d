/** What the files of one room may import; a room may always import itself, and Node's modules only where listed. */
export interface Room {
  /** Other rooms. */
  readonly ours?: readonly string[];
  /** Other rooms of which only types are taken. */
  readonly ourTypes?: readonly string[];
  readonly packages?: readonly string[];
  readonly packageTypes?: readonly string[];
  /** Packages that are loaded with `import()`, when they are needed. */
  readonly lazyPackages?: readonly string[];
  /** Rooms that are loaded with `import()`, when they are needed. */
  readonly lazyOurs?: readonly string[];
  readonly node?: readonly string[];
}

const backendTypes = ["contract/", "contract/operations.ts"];

/**
 * The house: each room is a prefix of paths below src/ ("a/*.ts": only the files directly in a/), and a file
 * is in the room with the longest one. An arrow names a room exactly: "x509/" does not include "x509/subject.ts".
 */
export const house: Readonly<Record<string, Room>> = {
  "oauth/": { node: ["node:crypto", "node:net"] },

  // What a server owes its clients and its process, whatever a hook throws.
  "serving/": { node: ["node:util/types"] },

  // How the options of a function are read.
  "options/": {},

  "x509/": { node: ["node:crypto"] },

  "jose/": { ours: ["oauth/"], packages: ["jose"], node: ["node:crypto"] },

  "contract/": { ours: ["oauth/", "serving/"], packages: ["zod"] },
  "contract/operations.ts": { ours: ["contract/"], packageTypes: ["zod"] },
  // What refusals and result codes mean to each other: the engine answers by it, the library reads by it.
  "contract/introspection-refusals.ts": { ours: ["oauth/"] },
  "contract/openapi-": { ours: ["contract/", "contract/operations.ts"], packages: ["zod"] },

  "client-certificate/": {
    // Of oauth/ only what a thumbprint looks like.
    ours: ["oauth/", "options/", "x509/"],
    packages: ["structured-headers"],
    node: ["node:crypto", "node:http", "node:http2", "node:net", "node:tls"],
  },

  "api-client/": {
    ours: ["contract/", "oauth/", "options/"],
    packages: ["got", "zod"],
    lazyPackages: ["eventsource-parser"],
    node: ["node:buffer", "node:http", "node:https"],
  },
  "api-client/api-client.ts": { ours: ["api-client/", "contract/", "contract/operations.ts"] },
  "api-client/index.ts": {
    ours: ["api-client/", "api-client/api-client.ts", "contract/"],
    ourTypes: ["contract/operations.ts"],
  },

  "resource-server/": {
    ours: [
      ...["oauth/", "options/", "serving/", "x509/", "client-certificate/", "api-client/"],
      "contract/introspection-refusals.ts",
    ],
    lazyOurs: ["jose/"],
    packages: ["lru-cache"],
    node: ["node:crypto"],
  },
  "resource-server/middleware/": {
    ours: ["resource-server/", "client-certificate/", "api-client/", "oauth/", "options/", "serving/"],
    packageTypes: ["koa", "express"],
    node: ["node:events", "node:http", "node:http2", "node:stream"],
  },
  // The plugin's registration takes the place of what the framework would be imported for.
  "resource-server/middleware/fastify.ts": {
    ours: ["resource-server/", "resource-server/middleware/", "api-client/", "options/", "serving/"],
    packages: ["fastify-plugin"],
    packageTypes: ["fastify"],
  },

  "resource-server/observers/prometheus.ts": { ours: ["resource-server/", "options/"], packages: ["prom-client"] },
  "resource-server/observers/opentelemetry.ts": {
    ours: ["resource-server/", "options/"],
    packages: ["@opentelemetry/api"],
  },

  // The only other got: it is what the entry hands out. undici is handed in.
  "bound-client/": {
    ours: ["api-client/", "oauth/", "options/", "serving/", "x509/"],
    packages: ["got"],
    node: ["node:crypto", "node:http", "node:https", "node:stream", "node:tls"],
  },

  "authorization-server/": {
    ours: [
      ...["oauth/", "options/", "serving/", "x509/", "contract/", "contract/operations.ts", "api-client/"],
      "client-certificate/",
    ],
    lazyOurs: ["jose/"],
    node: ["node:crypto", "node:http", "node:net"],
  },
  "public-endpoints/": { ours: ["authorization-server/"] },

  // What each result code means: engine and HTTP layer both need it.
  "backend/result-codes/": {},
  // What is known of a call for the log, and the operations that say it: types.
  "backend/service-operations.ts": { ourTypes: ["contract/operations.ts"] },
  "backend/call-record.ts": { ours: ["oauth/", "backend/result-codes/"], ourTypes: ["backend/service-operations.ts"] },
  "backend/engine/": {
    // Of the store, types and the one spelling of the keys that events and answers share.
    ours: [
      ...["oauth/", "x509/", "jose/", "contract/introspection-refusals.ts"],
      ...["backend/store/invalidation-keys.ts", "backend/engine/settings/signing-keys.ts", "backend/result-codes/"],
    ],
    ourTypes: [...backendTypes, "backend/store/", "backend/service-operations.ts"],
    // JSON Patch: most services' metadata need none.
    lazyPackages: ["rfc6902"],
    packageTypes: ["rfc6902"],
    node: ["node:crypto"],
  },
  // Its own room: what a key is for is asked when the configuration is read, too.
  "backend/engine/settings/signing-keys.ts": {
    ours: ["oauth/", "jose/"],
    ourTypes: ["backend/engine/"],
    node: ["node:crypto"],
  },
  "backend/store/": { ours: ["backend/store/invalidation-keys.ts"] },
  "backend/store/invalidation-keys.ts": { node: ["node:crypto"] },
  // The statements, the same text for every driver.
  "backend/store/sql/": { ours: ["backend/store/", "backend/store/invalidation-keys.ts"] },
  "backend/store/sqlite/": {
    ours: ["backend/store/", "backend/store/sql/"],
    node: ["node:fs", "node:path", "node:sqlite", "node:url", "node:worker_threads"],
  },
  "backend/store/postgres/": { ours: ["backend/store/", "backend/store/sql/"], packages: ["pg"] },
  "backend/chain-verification/": {
    ours: ["x509/"],
    ourTypes: ["backend/engine/"],
    packages: ["lru-cache"],
    node: ["node:child_process", "node:crypto", "node:fs/promises", "node:os", "node:path"],
  },
  "backend/remote-jwks/": {
    ourTypes: ["backend/engine/"],
    packages: ["lru-cache"],
    node: ["node:http", "node:https"],
  },
  "backend/secret-box/": { ourTypes: ["backend/engine/"], node: ["node:crypto"] },
  "backend/configuration/": {
    ours: ["oauth/", "jose/", "x509/", "backend/engine/settings/signing-keys.ts"],
    ourTypes: [...backendTypes, "backend/engine/"],
    packages: ["yaml", "zod"],
    node: ["node:crypto", "node:fs/promises", "node:net", "node:path", "node:tls"],
  },
  "backend/http/": {
    ours: ["contract/", "contract/operations.ts", "oauth/", "serving/", "backend/call-record.ts"],
    ourTypes: ["backend/service-operations.ts"],
    packages: ["koa", "@koa/router", "raw-body"],
    packageTypes: ["pino"],
    node: [
      ...["node:buffer", "node:crypto", "node:events", "node:fs/promises", "node:http", "node:https", "node:net"],
      ...["node:tls", "node:util"],
    ],
  },
  "backend/http/create-log.ts": {
    ours: ["backend/http/"],
    ourTypes: ["backend/configuration/"],
    packages: ["pino"],
    node: ["node:util"],
  },
  "backend/surroundings/": {
    ours: ["backend/configuration/"],
    ourTypes: ["backend/engine/"],
    node: ["node:crypto", "node:events", "node:fs/promises", "node:net", "node:path"],
  },
  // backend.ts and what only it needs: the place that knows all the others.
  "backend/*.ts": {
    ours: [
      "oauth/",
      "contract/",
      "contract/operations.ts",
      "backend/engine/",
      "backend/store/",
      "backend/store/sql/",
      "backend/store/sqlite/",
      "backend/store/postgres/",
      "backend/chain-verification/",
      "backend/remote-jwks/",
      "backend/secret-box/",
      "backend/configuration/",
      "backend/surroundings/",
      "backend/http/",
      "backend/http/create-log.ts",
      "backend/result-codes/",
      "backend/service-operations.ts",
      "backend/call-record.ts",
    ],
    packageTypes: ["pino"],
    node: ["node:crypto", "node:fs"],
  },

  "cli/": {
    ours: [
      ...["backend/*.ts", "backend/configuration/", "backend/http/create-log.ts", "public-endpoints/", "cli/probe/"],
      ...["oauth/", "x509/"],
    ],
    packages: ["commander", "pino"],
    node: ["node:crypto", "node:fs", "node:fs/promises", "node:path", "node:process", "node:worker_threads"],
  },
  // What a thief would send; it knows nothing of what should refuse it.
  "cli/probe/": { node: ["node:child_process", "node:crypto", "node:net", "node:tls", "node:util"] },
};

/** Where `process.env`, the clock and randomness are read, to be handed down. */
export const compositionRoots = [
  "cli/",
  "backend/open-engine.ts",
  "backend/serve-backend.ts",
  "resource-server/resource-server.ts",
  "resource-server/sources/introspection-source.ts",
  "authorization-server/authorization-endpoint.ts",
  "authorization-server/discovery-endpoint.ts",
  "bound-client/bound-client.ts",
];

const library = [
  ...["oauth/", "options/", "serving/", "x509/", "contract/", "contract/introspection-refusals.ts"],
  ...["client-certificate/", "api-client/", "resource-server/"],
];
const libraryPackages = ["got", "lru-cache", "structured-headers", "zod"];

/** What an entry loads as soon as it is imported: these rooms and packages at most. */
export const entryLoads: Readonly<
  Record<string, { readonly ours: readonly string[]; readonly packages: readonly string[] }>
> = {
  "resource-server/index.ts": {
    ours: library,
    packages: libraryPackages,
  },
  "resource-server/middleware/koa.ts": { ours: [...library, "resource-server/middleware/"], packages: libraryPackages },
  "resource-server/middleware/express.ts": {
    ours: [...library, "resource-server/middleware/"],
    packages: libraryPackages,
  },
  "resource-server/middleware/fastify.ts": {
    ours: [...library, "resource-server/middleware/", "resource-server/middleware/fastify.ts"],
    packages: [...libraryPackages, "fastify-plugin"],
  },
  "resource-server/middleware/node.ts": {
    ours: [...library, "resource-server/middleware/"],
    packages: libraryPackages,
  },
  "resource-server/observers/prometheus.ts": {
    ours: ["resource-server/", "options/", "resource-server/observers/prometheus.ts"],
    packages: ["prom-client"],
  },
  "resource-server/observers/opentelemetry.ts": {
    ours: ["resource-server/", "options/", "resource-server/observers/opentelemetry.ts"],
    packages: ["@opentelemetry/api"],
  },
  "api-client/index.ts": {
    ours: [
      "oauth/",
      "options/",
      "serving/",
      "contract/",
      "contract/operations.ts",
      "api-client/",
      "api-client/api-client.ts",
      "api-client/index.ts",
    ],
    packages: ["got", "zod"],
  },
  "bound-client/index.ts": {
    ours: ["oauth/", "options/", "serving/", "x509/", "bound-client/"],
    packages: ["got"],
  },
  "authorization-server/index.ts": {
    ours: [
      "oauth/",
      "options/",
      "serving/",
      "x509/",
      "contract/",
      "contract/operations.ts",
      "client-certificate/",
      "api-client/",
      "api-client/api-client.ts",
      "api-client/index.ts",
      "authorization-server/",
    ],
    packages: ["got", "zod"],
  },
};
