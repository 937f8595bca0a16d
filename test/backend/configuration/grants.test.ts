import test from "ava";
import { changed, problemsOf, type Change } from "./a-configuration.ts";

const client = "services[0].clients[2]";
const service = (members: string): Change => ["    clients:", `    ${members}\n    clients:`];
const code = (uris: string): Change => [
  "clientId: 3",
  `clientId: 3\n        grantTypes: [AUTHORIZATION_CODE]\n        redirectUris: ${uris}`,
];

test("a redirect URI is an https URL, a loopback address or of a private scheme with a dot", async (t) => {
  for (const uri of [
    "https://c.example/cb",
    "https://c.example:8443/cb?a=b",
    "https://c.example",
    "http://127.0.0.1/cb",
    "http://127.0.0.1:3000/cb",
    "http://[::1]/cb",
    "http://localhost:3000/cb",
    "com.example.app:/cb",
    "com.example.app://cb",
  ]) {
    t.deepEqual(await problemsOf(changed([code(JSON.stringify([uri]))])), [], uri);
  }
});

test("a redirect URI that is open, relative, in the clear or a script is refused", async (t) => {
  const noScheme = "it has no scheme such as https:";
  const clear = "it is http, and its host is not a loopback address";
  const noHost = "it has no host, or cannot be read";
  const scheme = "its scheme is neither https nor one with a dot";
  for (const [uri, reason] of [
    ["", "it is empty"],
    ["/cb", noScheme],
    ["c.example/cb", noScheme],
    ["//c.example/cb", noScheme],
    ["http://c.example/cb", clear],
    ["http://127.0.0.1.c.example/cb", clear],
    ["https://c.example/cb#fragment", "it has a fragment, at character 21"],
    ["https://c.example/cb#", "it has a fragment, at character 21"],
    ["https://*.c.example/cb", "it has a *, at character 9"],
    ["https://c.example/*", "it has a *, at character 19"],
    ["*", "it has a *, at character 1"],
    ["https://u:p@c.example/cb", "it has a user name or a password"],
    ["https://c.example/a b", "its character 20 is not one of a URI: percent-encode it"],
    ["https://c.example/cb\n", "its character 21 is not one of a URI: percent-encode it"],
    ["https://c.exämple/cb", "its character 13 is not one of a URI: percent-encode it"],
    ["https://c.example/{id}", "its character 19 is not one of a URI: percent-encode it"],
    ["https://c.example/cb?a=%zz", "its character 24 is a % that two hexadecimal digits do not follow"],
    ["https://c.example/a\\b", "its character 20 is not one of a URI: percent-encode it"],
    ["https:c.example/cb", noHost],
    ["https:///c.example/cb", noHost],
    ["https://", noHost],
    ["javascript:alert(1)", scheme],
    ["data:text/html,x", scheme],
    ["file:///etc/passwd", scheme],
    ["myapp:/cb", scheme],
    ["com.example.app:", "nothing follows its scheme"],
    [".app:/cb", noScheme],
    ["urn:ietf:wg:oauth:2.0:oob", scheme],
  ] as const) {
    t.deepEqual(
      await problemsOf(changed([code(JSON.stringify([uri]))])),
      [
        `${client}.redirectUris[0] must be an https URL, an http URL of a loopback address, or a URI of a private scheme with a dot (com.example.app:/), without fragment or *; ${reason}`,
      ],
      uri,
    );
  }
  t.deepEqual(await problemsOf(changed([code("[]")])), [
    `${client}.redirectUris is empty: AUTHORIZATION_CODE needs one (RFC 9700 §2.1)`,
  ]);
});

test("9068-5: two resources cannot be registered with one identifier, nor one with that of a client", async (t) => {
  for (const member of ["defaultResources", "supportedResources"]) {
    const twice = service(`${member}: [https://a.example/, https://b.example/, https://a.example/]`);
    t.deepEqual(await problemsOf(changed([twice])), [
      `services[0].${member}[2] is the same as services[0].${member}[0]`,
    ]);
    const alias: Change = ["clientIdAlias: client-a", "clientIdAlias: https://a.example/"];
    t.deepEqual(await problemsOf(changed([service(`${member}: [https://a.example/]`), alias])), [
      "services[0].clients[0].clientIdAlias is a resource of the service: an ID token would have the audience of an access token",
    ]);
  }
});

test("an alias for mutual TLS has the name of an endpoint, once, and an https URL", async (t) => {
  const alias = (name: string, uri = "https://mtls.example/") => `{ name: ${name}, uri: "${uri}" }`;
  const said = (...aliases: string[]) =>
    problemsOf(
      changed([
        service("tokenEndpoint: https://as.example.com/token"),
        service(`mtlsEndpointAliases: [${aliases.join()}]`),
      ]),
    );
  t.deepEqual(await said(alias("token_endpoint"), alias("pushed_authorization_request_endpoint")), []);
  const at = "services[0].mtlsEndpointAliases";
  const name = "must be a member of the metadata that is an endpoint, for example token_endpoint";
  for (const wrong of ["token", "tokenEndpoint", "issuer", "_endpoint", "Token_endpoint", '""']) {
    t.deepEqual(await said(alias(wrong)), [`${at}[0].name ${name}`], wrong);
  }
  t.deepEqual(await said(alias("token_endpoint"), alias("token_endpoint")), [
    `${at}[1].name is the same as that of ${at}[0]`,
  ]);
  for (const [uri, reason] of [
    ["http://mtls.example/", "it is http, and its host is not a loopback address"],
    ["mtls.example", "it has no scheme such as https:"],
    ["https://mtls.example/#a", "it has a fragment, at character 22"],
  ] as const) {
    t.deepEqual(await said(alias("token_endpoint", uri)), [
      `${at}[0].uri must be an https URL without fragment (http only for loopback); ${reason}`,
    ]);
  }
});

test("durations and the tolerance for clocks have bounds", async (t) => {
  for (const [members, problem] of [
    ["authorizationCodeDuration: 601", "authorizationCodeDuration must be at most 600"],
    ["authorizationCodeDuration: 0", "authorizationCodeDuration must be more than 0"],
    ["allowableClockSkew: 61", "allowableClockSkew must be at most 60"],
    ["allowableClockSkew: -1", "allowableClockSkew must be at least 0"],
    ["refreshTokenDuration: 0", "refreshTokenDuration must be more than 0"],
    ["idTokenDuration: 0", "idTokenDuration must be more than 0"],
  ] as const) {
    t.deepEqual(await problemsOf(changed([service(members)])), [`services[0].${problem}`]);
  }
  t.deepEqual(await problemsOf(changed([service("authorizationCodeDuration: 600\n    allowableClockSkew: 0")])), []);
});

test("a resource that no request could name is refused", async (t) => {
  for (const member of ["defaultResources", "supportedResources"]) {
    for (const [uri, reason] of [
      ["/api", "it has no scheme such as https:"],
      ["api.example", "it has no scheme such as https:"],
      ["https://a.example/#a", "it has a fragment, at character 19"],
      ["https://a.example/{id}", "its character 19 is not one of a URI: percent-encode it"],
      ["https://a.example/%zz", "its character 19 is a % that two hexadecimal digits do not follow"],
    ] as const) {
      t.deepEqual(await problemsOf(changed([service(`${member}: ["${uri}"]`)])), [
        `services[0].${member}[0] must be an absolute URI without a fragment; ${reason}`,
      ]);
    }
    t.deepEqual(await problemsOf(changed([service(`${member}: ["urn:example:api", "https://a.example"]`)])), []);
  }
});
