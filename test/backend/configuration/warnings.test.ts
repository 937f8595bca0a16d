import test from "ava";
import { warningsOf } from "../../../src/backend/configuration/warnings.ts";
import type { ClientSettings, ServiceSettings } from "../../../src/backend/engine/settings/settings.ts";
import { createAuthority } from "../../support/certificates.ts";
import { clientSettings, serviceSettings } from "../../support/settings.ts";

test("an anchor that is an intermediate gives a warning: no path ends there", (t) => {
  const root = createAuthority({ subject: "CN=Root" });
  const intermediate = createAuthority({ subject: "CN=Intermediate", parent: root });
  const trustedRootCertificates = [root.certificate.pem, intermediate.certificate.pem];
  const client = clientSettings({ clientId: 1, trustedRootCertificates });
  const warnings = warningsOf([{ settings: serviceSettings({ trustedRootCertificates }), clients: [client] }]);
  t.deepEqual(
    warnings.map((warning) => warning.split(" is ")[0]),
    ["services[0].trustedRootCertificates[1]", "services[0].clients[0].trustedRootCertificates[1]"],
  );
});

const free = { tlsClientCertificateBoundAccessTokens: false };
const client = (settings: Partial<ClientSettings>) => clientSettings({ clientId: 1, ...settings });
const service = (settings: Partial<ServiceSettings>) =>
  serviceSettings({ supportedGrantTypes: ["AUTHORIZATION_CODE", "REFRESH_TOKEN", "CLIENT_CREDENTIALS"], ...settings });
const pathsOf = (settings: ServiceSettings, ...clients: ClientSettings[]) =>
  warningsOf([{ settings, clients }]).map((warning) => warning.split(" ")[0]);

test("a published service that takes certificates, and says nowhere where, gives a warning", (t) => {
  const uri = "https://as.example.com/token";
  const found = "services[0].supportedTokenAuthMethods";
  const published = { jwksUri: "https://as.example.com/jwks" };
  t.deepEqual(pathsOf(service(published)), [found]);
  t.deepEqual(pathsOf(service({ mtlsEndpointAliases: [{ name: "revocation_endpoint", uri }] })), [found]);
  t.deepEqual(pathsOf(service({ ...published, tokenEndpoint: uri })), []);
  t.deepEqual(pathsOf(service({ ...published, mtlsEndpointAliases: [{ name: "token_endpoint", uri }] })), []);
  t.deepEqual(pathsOf(service({ ...published, supportedTokenAuthMethods: ["NONE", "PRIVATE_KEY_JWT"] })), []);
  t.deepEqual(pathsOf(service({})), []);
});

test("a grant type that the service does not have gives a warning", (t) => {
  const found = "services[0].clients[0].grantTypes";
  t.deepEqual(pathsOf(service({}), client({ grantTypes: ["CLIENT_CREDENTIALS", "PASSWORD"] })), [found]);
  t.deepEqual(pathsOf(service({}), client({ grantTypes: ["CLIENT_CREDENTIALS", "REFRESH_TOKEN"] })), []);
});

test("a public client's refresh token that is neither replaced nor bound gives a warning", (t) => {
  const found = "services[0].clients[0].grantTypes";
  const app = client({ tokenAuthMethod: "NONE", grantTypes: ["AUTHORIZATION_CODE", "REFRESH_TOKEN"] });
  const kept = { refreshTokenKept: true };
  t.deepEqual(pathsOf(service(kept), { ...app, ...free }), [found]);
  t.deepEqual(pathsOf(service({ ...kept, ...free }), { ...app, ...free }), [found]);
  t.deepEqual(pathsOf(service(kept), app), []);
  t.deepEqual(pathsOf(service({}), { ...app, ...free }), []);
  t.deepEqual(pathsOf(service(kept), { ...app, ...free, grantTypes: ["AUTHORIZATION_CODE"] }), []);
  t.deepEqual(pathsOf(service(kept), client({ ...free, grantTypes: ["AUTHORIZATION_CODE", "REFRESH_TOKEN"] })), []);
});

test("an alias that is never published gives a warning, each", (t) => {
  const tokenEndpoint = "https://as.example.com/token";
  const aliases = (...names: string[]) => ({
    mtlsEndpointAliases: names.map((name) => ({ name, uri: tokenEndpoint })),
  });
  const published = ["token_endpoint", "revocation_endpoint", "introspection_endpoint", "userinfo_endpoint"];
  t.deepEqual(pathsOf(service({ tokenEndpoint, ...aliases(...published) })), []);
  t.deepEqual(
    pathsOf(service({ tokenEndpoint, ...aliases("token_endpoint", "authorization_endpoint", "device_endpoint") })),
    ["services[0].mtlsEndpointAliases[1]", "services[0].mtlsEndpointAliases[2]"],
  );
});

test("a published service with ID tokens, and no word of where its keys are, gives a warning", (t) => {
  const found = "services[0].supportedScopes";
  const openid = {
    tokenEndpoint: "https://as.example.com/token",
    authorizationEndpoint: "https://as.example.com/authorize",
    supportedScopes: [{ name: "openid" }],
    jwks: '{"keys":[]}',
  };
  t.deepEqual(pathsOf(service(openid)), [found]);
  t.deepEqual(pathsOf(service({ ...openid, jwksUri: "https://as.example.com/jwks" })), []);
  t.deepEqual(pathsOf(service({ ...openid, supportedScopes: [{ name: "read" }] })), []);
  t.deepEqual(pathsOf(service({ supportedScopes: openid.supportedScopes, jwks: openid.jwks })), []);
});
