import { generateKeyPairSync } from "node:crypto";
import test from "ava";
import type { ServiceSettings } from "../../../../src/backend/engine/settings/settings.ts";
import { createEngineByHand } from "../../../support/engine.ts";
import { serviceSettings } from "../../../support/settings.ts";
import type { ExecutionContext } from "ava";

function ecKey(members: object = {}, namedCurve = "P-256") {
  return { ...generateKeyPairSync("ec", { namedCurve }).privateKey.export({ format: "jwk" }), ...members };
}

const jwksOf = (...keys: object[]): string => JSON.stringify({ keys });

async function metadataOf(t: ExecutionContext, settings: Partial<ServiceSettings>) {
  const { operations } = await createEngineByHand(t, [{ settings: serviceSettings(settings), clients: [] }]);
  return operations().serviceConfiguration({});
}

const endpoints = {
  authorizationEndpoint: "https://as.example.com/authorize",
  tokenEndpoint: "https://as.example.com/token",
  revocationEndpoint: "https://as.example.com/revoke",
  introspectionEndpoint: "https://as.example.com/introspect",
  userInfoEndpoint: "https://as.example.com/userinfo",
  jwksUri: "https://as.example.com/jwks",
};

/** What ID tokens need besides a key. */
const withIdTokens: Partial<ServiceSettings> = {
  supportedGrantTypes: ["AUTHORIZATION_CODE"],
  supportedScopes: [{ name: "openid" }],
};

const asymmetric = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];

test("the metadata of a service with every feature has every member, and none that it does not serve", async (t) => {
  const document = await metadataOf(t, {
    ...endpoints,
    supportedGrantTypes: ["AUTHORIZATION_CODE", "REFRESH_TOKEN", "CLIENT_CREDENTIALS"],
    supportedTokenAuthMethods: ["TLS_CLIENT_AUTH", "PRIVATE_KEY_JWT", "CLIENT_SECRET_JWT"],
    supportedScopes: [{ name: "openid" }, { name: "read" }],
    supportedAcrs: ["silver"],
    supportedClaims: ["sub", "email"],
    supportedUiLocales: ["de"],
    serviceDocumentation: "https://as.example.com/docs",
    mtlsEndpointAliases: [
      { name: "token_endpoint", uri: "https://mtls.example.com/token" },
      { name: "userinfo_endpoint", uri: "https://mtls.example.com/userinfo" },
    ],
    jwks: jwksOf(ecKey({ kid: "1" })),
  });
  t.deepEqual(document, {
    issuer: "https://as.example.com",
    authorization_endpoint: endpoints.authorizationEndpoint,
    token_endpoint: endpoints.tokenEndpoint,
    userinfo_endpoint: endpoints.userInfoEndpoint,
    revocation_endpoint: endpoints.revocationEndpoint,
    introspection_endpoint: endpoints.introspectionEndpoint,
    jwks_uri: endpoints.jwksUri,
    scopes_supported: ["openid", "read"],
    grant_types_supported: ["authorization_code", "refresh_token", "client_credentials"],
    token_endpoint_auth_methods_supported: ["tls_client_auth", "private_key_jwt", "client_secret_jwt"],
    token_endpoint_auth_signing_alg_values_supported: [...asymmetric, "HS256", "HS384", "HS512"],
    revocation_endpoint_auth_methods_supported: ["tls_client_auth", "private_key_jwt", "client_secret_jwt"],
    revocation_endpoint_auth_signing_alg_values_supported: [...asymmetric, "HS256", "HS384", "HS512"],
    response_types_supported: ["code"],
    response_modes_supported: ["query", "form_post"],
    code_challenge_methods_supported: ["S256"],
    authorization_response_iss_parameter_supported: true,
    acr_values_supported: ["silver"],
    claims_supported: ["sub", "email"],
    claims_parameter_supported: true,
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["ES256"],
    introspection_signing_alg_values_supported: ["ES256"],
    tls_client_certificate_bound_access_tokens: true,
    mtls_endpoint_aliases: {
      token_endpoint: "https://mtls.example.com/token",
      userinfo_endpoint: "https://mtls.example.com/userinfo",
    },
    ui_locales_supported: ["de"],
    service_documentation: "https://as.example.com/docs",
  });
});

test("the metadata of a minimal service has no empty list and no member of a feature that it lacks", async (t) => {
  t.deepEqual(
    await metadataOf(t, {
      tokenEndpoint: endpoints.tokenEndpoint,
      jwksUri: endpoints.jwksUri,
      supportedTokenAuthMethods: ["CLIENT_SECRET_BASIC"],
      tlsClientCertificateBoundAccessTokens: false,
    }),
    {
      issuer: "https://as.example.com",
      token_endpoint: endpoints.tokenEndpoint,
      grant_types_supported: ["client_credentials"],
      token_endpoint_auth_methods_supported: ["client_secret_basic"],
    },
  );
});

test("8705-3.3: tls_client_certificate_bound_access_tokens is true with binding, and absent without", async (t) => {
  const on = await metadataOf(t, { tlsClientCertificateBoundAccessTokens: true });
  t.is(on["tls_client_certificate_bound_access_tokens"], true);
  const off = await metadataOf(t, { tlsClientCertificateBoundAccessTokens: false });
  t.false("tls_client_certificate_bound_access_tokens" in off);
});

for (const [id, setting, name] of [
  ["8705-2.1.1", "TLS_CLIENT_AUTH", "tls_client_auth"],
  ["8705-2.2.1", "SELF_SIGNED_TLS_CLIENT_AUTH", "self_signed_tls_client_auth"],
] as const) {
  test(`${id}: ${name} is listed for each endpoint that authenticates clients iff it is enabled`, async (t) => {
    for (const enabled of [true, false]) {
      const document = await metadataOf(t, {
        ...endpoints,
        supportedTokenAuthMethods: ["CLIENT_SECRET_BASIC", ...(enabled ? [setting] : [])],
      });
      for (const endpoint of ["token", "revocation"]) {
        const methods = document[`${endpoint}_endpoint_auth_methods_supported`] as string[];
        t.is(methods.includes(name), enabled, endpoint);
      }
      // Resource servers are the front end's to authenticate: the backend enables no method for them.
      t.false("introspection_endpoint_auth_methods_supported" in document);
    }
  });
}

test("aliases are endpoints that are served over mutual TLS, and nothing else", async (t) => {
  const uri = "https://mtls.example.com/";
  const names = ["token_endpoint", "jwks_uri", "issuer", "authorization_endpoint", "__proto__", "constructor"];
  const document = await metadataOf(t, { mtlsEndpointAliases: names.map((name) => ({ name, uri })) });
  t.deepEqual(document["mtls_endpoint_aliases"], { token_endpoint: uri });
  t.false("mtls_endpoint_aliases" in (await metadataOf(t, { mtlsEndpointAliases: [{ name: "issuer", uri }] })));
});

test("9701-7: algorithms of signed answers and ID tokens are exactly those that the keys can sign by", async (t) => {
  const named = (kid: string) => ({ introspectionSignatureKeyId: kid, idTokenSignatureKeyId: kid });
  const publicHalf = ({ kty, crv, x, y }: ReturnType<typeof ecKey>) => ({ kty, crv, x, y });
  for (const [keys, more, algorithms] of [
    [[ecKey()], {}, ["ES256"]],
    [[ecKey(), ecKey({}, "P-384")], {}, ["ES256", "ES384"]],
    [
      [generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" })],
      {},
      asymmetric.slice(0, 6),
    ],
    [[ecKey({ kid: "a" }), ecKey({ kid: "b" })], {}, undefined],
    [[ecKey({ kid: "a" }), ecKey({ kid: "b" })], named("b"), ["ES256"]],
    [[ecKey({ use: "enc" })], {}, undefined],
    [[publicHalf(ecKey())], {}, undefined],
    [[{ kty: "oct", k: "c2VjcmV0" }], {}, undefined],
  ] as const) {
    const settings = serviceSettings({ ...endpoints, ...withIdTokens, ...more, jwks: jwksOf(...keys) });
    const { operations } = await createEngineByHand(t, [{ settings, clients: [] }]);
    const document = await operations().serviceConfiguration({});
    t.deepEqual(document["introspection_signing_alg_values_supported"], algorithms);
    t.deepEqual(document["id_token_signing_alg_values_supported"], algorithms);
    for (const alg of asymmetric) {
      const answer = await operations().authIntrospectionStandard({
        parameters: "token=unknown",
        rsUri: "https://api.example.com",
        httpAcceptHeader: "application/token-introspection+jwt",
        introspectionSignAlg: alg as "ES256",
      });
      t.is(answer.action === "JWT", (algorithms as readonly string[] | undefined)?.includes(alg) === true, alg);
    }
  }
});

test("without an introspection endpoint, the metadata has no member about its responses", async (t) => {
  const document = await metadataOf(t, { ...withIdTokens, jwks: jwksOf(ecKey()) });
  t.false("introspection_signing_alg_values_supported" in document);
  t.deepEqual(document["id_token_signing_alg_values_supported"], ["ES256"]);
});

test("ID tokens are spoken of where there can be some: for the scope openid, of a user, with a key", async (t) => {
  const whole: Partial<ServiceSettings> = { ...withIdTokens, jwks: jwksOf(ecKey()) };
  const openid = ["subject_types_supported", "id_token_signing_alg_values_supported"];
  for (const [settings, there] of [
    [whole, true],
    [{ ...whole, supportedGrantTypes: ["PASSWORD"] }, true],
    [{ ...whole, supportedGrantTypes: ["CLIENT_CREDENTIALS", "REFRESH_TOKEN"] }, false],
    [{ ...whole, supportedScopes: [{ name: "read" }] }, false],
    [withIdTokens, false],
  ] as const) {
    const document = await metadataOf(t, settings);
    for (const member of openid) t.is(member in document, there, JSON.stringify(settings));
  }
});

test("the JWK Set has public halves only; private ones on request; without keys there is no set", async (t) => {
  const key = ecKey({ kid: "1", use: "sig", alg: "ES256" }) as Record<string, unknown>;
  const jwks = jwksOf(key, { kty: "oct", k: "c2VjcmV0" });
  const { operations } = await createEngineByHand(t, [{ settings: serviceSettings({ jwks }), clients: [] }]);
  const { d, ...publicKey } = key;
  t.is(typeof d, "string");
  for (const request of [{}, { includePrivateKeys: false }, { includePrivateKeys: null }]) {
    t.deepEqual(await operations().serviceJwksGet(request), { keys: [publicKey] });
  }
  t.deepEqual(await operations().serviceJwksGet({ includePrivateKeys: true }), JSON.parse(jwks));
  const answer = await operations().serviceJwksGet({});
  answer?.keys.pop();
  t.is((await operations().serviceJwksGet({}))?.keys.length, 1, "an answer is the caller's own");

  for (const none of [{}, { jwks: jwksOf() }, { jwks: jwksOf({ kty: "oct", k: "c2VjcmV0" }) }]) {
    const without = await createEngineByHand(t, [{ settings: serviceSettings(none), clients: [] }]);
    for (const includePrivateKeys of [true, false]) {
      t.is(await without.operations().serviceJwksGet({ includePrivateKeys }), undefined);
    }
  }
});
