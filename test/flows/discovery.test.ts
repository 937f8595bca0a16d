import { generateKeyPairSync } from "node:crypto";
import test, { type ExecutionContext } from "ava";
import type { ServiceSettings } from "../../src/backend/engine/settings/settings.ts";
import { createSelfSigned } from "../support/certificates.ts";
import { accessTokenOf, startDeployment } from "../support/deployment.ts";
import { basic, postForm, send } from "../support/https-request.ts";
import { apiSecret, clientSettings, jwksOf, secretOf, serviceAccessToken, serviceId } from "../support/settings.ts";

const certificate = createSelfSigned({ subject: "CN=client" });
const clients = [
  clientSettings({ clientId: 1 }),
  clientSettings({
    clientId: 2,
    tokenAuthMethod: "SELF_SIGNED_TLS_CLIENT_AUTH",
    jwks: jwksOf(certificate),
  }),
];

function start(t: ExecutionContext, service: Partial<ServiceSettings> = {}) {
  return startDeployment(t, { service, clients });
}

test("8705-5-a: each alias answers on the mutual TLS listener, and no other member is among them", async (t) => {
  // The listener gets its port when it starts: a first deployment stands for the ones behind it.
  const { url } = await start(t);
  const aliases = ["token", "revocation", "introspection"] as const;
  const paths = { token: "/token", revocation: "/revoke", introspection: "/introspect" };
  const { api } = await start(t, {
    tokenEndpoint: "https://as.example.com/token",
    revocationEndpoint: "https://as.example.com/revoke",
    introspectionEndpoint: "https://as.example.com/introspect",
    mtlsEndpointAliases: [
      ...aliases.map((name) => ({ name: `${name}_endpoint`, uri: url + paths[name] })),
      { name: "jwks_uri", uri: `${url}/jwks` },
      { name: "issuer", uri: url },
    ],
  });
  const metadata = await api.serviceConfiguration({});
  const listed = metadata["mtls_endpoint_aliases"] as Record<string, string>;
  t.deepEqual(Object.keys(listed).sort(), aliases.map((name) => `${name}_endpoint`).sort());
  for (const name of Object.keys(listed)) t.truthy(metadata[name], name);

  // A certificate of the handshake is what proves this client: no other listener would do.
  const at = (name: string) => ({ url: listed[`${name}_endpoint`] ?? "", as: certificate });
  const issued = await postForm(at("token"), { grant_type: "client_credentials", client_id: "2" });
  const token = accessTokenOf(t, issued);
  t.is((await postForm(at("revocation"), { token, client_id: "2" })).status, 200);
  t.is((await postForm({ ...at("introspection") }, { token })).status, 401);
  const headers = { authorization: basic("api", "resource-server-secret-0123456789abcdef") };
  const introspected = await postForm({ ...at("introspection"), headers }, { token });
  t.deepEqual([introspected.status, JSON.parse(introspected.body)], [200, { active: false }]);
  const without = await postForm(
    { url: listed["token_endpoint"] ?? "" },
    { grant_type: "client_credentials", client_id: "2" },
  );
  t.is(without.status, 400);
});

for (const shape of ["v2", "v3"] as const) {
  test(`${shape}: metadata and keys are returned bare, indented on request, and 204 without keys`, async (t) => {
    const key = {
      ...generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" }),
      kid: "1",
    };
    const withKeys = await start(t, { jwks: JSON.stringify({ keys: [key] }) });
    const below = shape === "v3" ? `/api/${serviceId}` : "/api";
    const authorization = shape === "v3" ? `Bearer ${serviceAccessToken}` : basic(serviceId, apiSecret);
    const get = (url: string, path: string) => send({ url: url + below + path, headers: { authorization } });
    const { api, backendUrl } = withKeys;

    const document = await api.serviceConfiguration({});
    t.is(document["issuer"], "https://as.example.com");
    t.false("type" in document || "resultCode" in document);
    t.is((await get(backendUrl, "/service/configuration")).body, JSON.stringify(document));
    t.is(
      (await get(backendUrl, "/service/configuration?pretty=true")).body,
      `${JSON.stringify(document, undefined, 2)}\n`,
    );
    const patch = encodeURIComponent('[{"op":"add","path":"/x","value":"é"}]');
    t.deepEqual(JSON.parse((await get(backendUrl, `/service/configuration?patch=${patch}`)).body), {
      ...document,
      x: "é",
    });

    const keys = await get(backendUrl, "/service/jwks/get");
    t.deepEqual([keys.status, JSON.parse(keys.body)], [200, await api.serviceJwksGet({})]);
    t.false(keys.body.includes('"d"'));
    t.like(JSON.parse((await get(backendUrl, "/service/jwks/get?includePrivateKeys=true")).body), { keys: [key] });

    const withoutKeys = await start(t);
    const none = await get(withoutKeys.backendUrl, "/service/jwks/get?pretty=true");
    t.deepEqual([none.status, none.body, none.headers["content-type"]], [204, "", undefined]);
    t.is(await withoutKeys.api.serviceJwksGet({}), undefined);
  });
}

test("metadata and keys are for the service alone", async (t) => {
  const { backendUrl } = await start(t);
  for (const path of ["/service/configuration", "/service/jwks/get?includePrivateKeys=true"]) {
    for (const authorization of [undefined, basic(serviceId, "wrong"), basic(1, secretOf(1))]) {
      const headers = authorization === undefined ? {} : { authorization };
      t.is((await send({ url: `${backendUrl}/api${path}`, headers })).status, 401);
    }
  }
});
