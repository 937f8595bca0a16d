import { inspect } from "node:util";
import test from "ava";
import { metadataAnswer } from "../../src/resource-server/middleware/http-answer.ts";
import { protectedResourceMetadata } from "../../src/resource-server/protected-resource-metadata.ts";

const resource = "https://api.example.com";

test("facts that hold for every API behind the library are included without an option", (t) => {
  const { document, body, headers } = protectedResourceMetadata({ resource });
  t.deepEqual(document, {
    resource,
    bearer_methods_supported: ["header"],
    tls_client_certificate_bound_access_tokens: true,
  });
  t.deepEqual(JSON.parse(body), document);
  t.is(headers["Content-Type"], "application/json");
});

test("every member that RFC 9728 §2 has for such an API is taken as it is", (t) => {
  const all = {
    resource,
    authorization_servers: ["https://as.example.com", "https://as.example.com/tenant-1"],
    jwks_uri: "https://api.example.com/jwks",
    scopes_supported: ["read", "payments:write"],
    bearer_methods_supported: ["header"],
    resource_signing_alg_values_supported: ["ES256"],
    resource_name: "Example API",
    "resource_name#ja-Hani-JP": "例のAPI",
    resource_documentation: "http://docs.example.com/",
    resource_policy_uri: "https://api.example.com/policy",
    "resource_policy_uri#fr": "https://api.example.com/politique",
    resource_tos_uri: "https://api.example.com/terms",
    tls_client_certificate_bound_access_tokens: false,
    authorization_details_types_supported: ["payment_initiation"],
    signed_metadata: "eyJ.eyJ.sig",
  } as const;
  t.deepEqual(protectedResourceMetadata(all).document, all);
});

for (const [name, path] of [
  ["https://api.example.com", ""],
  ["https://api.example.com/", ""],
  ["https://api.example.com/v1", "/v1"],
  ["https://api.example.com/v1/", "/v1/"],
  ["https://api.example.com/a%20b/c:d", "/a%20b/c:d"],
] as const) {
  test(`the well-known path of ${name} is between host and path (RFC 9728 §3.1)`, (t) => {
    const metadata = protectedResourceMetadata({ resource: name });
    t.is(metadata.path, `/.well-known/oauth-protected-resource${path}`);
    t.is(metadata.url, `https://api.example.com/.well-known/oauth-protected-resource${path}`);
    t.is(metadata.document["resource"], name);
  });
}

test("a port belongs to the URL", (t) => {
  const { url } = protectedResourceMetadata({ resource: "https://api.example.com:8443/v1" });
  t.is(url, "https://api.example.com:8443/.well-known/oauth-protected-resource/v1");
});

test("an array without elements is left out (RFC 9728 §3.2)", (t) => {
  const { document } = protectedResourceMetadata({ resource, scopes_supported: [], bearer_methods_supported: [] });
  t.deepEqual(Object.keys(document).sort(), ["resource", "tls_client_certificate_bound_access_tokens"]);
});

test("the returned metadata are frozen, and a later change of the options has no effect", (t) => {
  const scopes = ["read"];
  const metadata = protectedResourceMetadata({ resource, scopes_supported: scopes });
  scopes.push("admin");
  t.deepEqual(metadata.document["scopes_supported"], ["read"]);
  t.true(Object.isFrozen(metadata));
  t.true(Object.isFrozen(metadata.document));
  t.true(Object.isFrozen(metadata.document["scopes_supported"]));
  t.true(Object.isFrozen(metadata.headers));
});

const refused: readonly (readonly [string, unknown])[] = [
  ["resource", undefined],
  ["resource", ""],
  ["resource", 7],
  ["resource", "api"],
  ["resource", "/v1"],
  ["resource", "http://api.example.com"],
  ["resource", "urn:example:api"],
  ["resource", "https://api.example.com/#fragment"],
  ["resource", "https://api.example.com/#"],
  ["resource", "https://api.example.com/?a=b"],
  ["resource", "https://user@api.example.com/"],
  ["resource", ["https://api.example.com"]],
  ["authorization_servers", "https://as.example.com"],
  ["authorization_servers", ["http://as.example.com"]],
  ["authorization_servers", ["https://as.example.com?tenant=1"]],
  ["authorization_servers", [undefined]],
  ["scopes_supported", "read"],
  ["scopes_supported", ["read write"]],
  ["scopes_supported", [""]],
  ["scopes_supported", ['"']],
  ["bearer_methods_supported", ["body"]],
  ["bearer_methods_supported", ["header", "query"]],
  ["tls_client_certificate_bound_access_tokens", "true"],
  ["jwks_uri", "http://api.example.com/jwks"],
  ["resource_signing_alg_values_supported", ["none"]],
  ["resource_name", ""],
  ["resource_name", undefined],
  ["resource_documentation", "docs"],
  ["resource_tos_uri", "javascript:alert(1)"],
  ["signed_metadata", {}],
  ["dpop_bound_access_tokens_required", true],
  ["dpop_signing_alg_values_supported", ["ES256"]],
  ["scope_supported", ["read"]],
  ["scopes_supported#en", ["read"]],
  ["resource_name#", "API"],
  ["resource_name#e n", "API"],
  ["constructor", "API"],
];
for (const [name, value] of refused) {
  test(`refused: ${name}: ${inspect(value)}`, (t) => {
    const error = t.throws(() => protectedResourceMetadata({ resource, [name]: value } as never), {
      instanceOf: TypeError,
      code: "ERR_INVALID_OPTION",
    });
    t.true(error.message.startsWith(`${name} `), error.message);
  });
}

test("only the path itself is the metadata's, with a query or without", (t) => {
  const metadata = protectedResourceMetadata({ resource });
  t.is(metadataAnswer(metadata, "GET", metadata.path)?.status, 200);
  t.is(metadataAnswer(metadata, "GET", `${metadata.path}?a=b`)?.status, 200);
  for (const target of [
    `${metadata.path}/x`,
    `${metadata.path}x`,
    `/a${metadata.path}`,
    `//h${metadata.path}`,
    "/",
    undefined,
  ]) {
    t.is(metadataAnswer(metadata, "GET", target), undefined, target);
  }
});

test("refused: no metadata at all", (t) => {
  for (const none of [undefined, null, "https://api.example.com"]) {
    t.throws(() => protectedResourceMetadata(none as never), { code: "ERR_INVALID_OPTION" });
  }
});
