import test from "ava";
import { introspectionEndpoint } from "../../src/resource-server/index.ts";
import { codeChallenge, codeVerifier, redirectUri } from "../support/authorization.ts";
import { accessTokenOf, namedResourceServer, resourceServer } from "../support/deployment.ts";
import { serverCa } from "../support/mutual-tls.ts";
import { assertErrorForm } from "../support/error-form.ts";
import { authorization, startGrants, tokensOf } from "./grants-deployment.ts";
import { grantsClient, k1, k2, supportedGrantTypes } from "../support/grants.ts";
import { basic, postForm } from "../support/https-request.ts";
import { startServedApi } from "./served-api.ts";
import { secretOf } from "../support/settings.ts";

const issuer = "https://as.example.com";

test("9700-2.1.1-c: the metadata has S256 only, and no other method is accepted", async (t) => {
  const { api } = await startGrants(t, { authorizationEndpoint: `${issuer}/authorize` });
  const metadata = await api.serviceConfiguration({});
  t.deepEqual(metadata["code_challenge_methods_supported"], ["S256"]);
  const ask = (challenge: Readonly<Record<string, string>>) =>
    api.authAuthorization({
      parameters: new URLSearchParams({
        ...{ response_type: "code", client_id: "1", redirect_uri: redirectUri },
        ...challenge,
      }).toString(),
    });
  // A challenge without a method is plain (RFC 7636 §4.3).
  const refused = [
    {},
    ...["plain", "PLAIN", "s256", "S512", "none"].map((method) => ({ code_challenge_method: method })),
  ];
  for (const method of refused) {
    const { action, responseContent = "" } = await ask({ code_challenge: codeChallenge, ...method });
    t.is(action, "LOCATION");
    t.is(new URL(responseContent).searchParams.get("error"), "invalid_request", JSON.stringify(method));
  }
  t.is((await ask({ code_challenge: codeChallenge, code_challenge_method: "S256" })).action, "INTERACTION");
});

test("9700-2.2.1: with binding required, no grant gives an unbound token, and an API rejects foreign ones", async (t) => {
  const grantTypes = [...supportedGrantTypes, "PASSWORD"] as const;
  const all = { grantTypes, redirectUris: [redirectUri] };
  const { code, begin, token, exchange, refresh, api, introspect, url } = await startGrants(
    t,
    { supportedGrantTypes: grantTypes },
    [
      grantsClient({ ...all, clientId: 1 }),
      grantsClient({ clientId: 4, tlsClientCertificateBoundAccessTokens: false }),
    ],
  );
  const { refreshToken } = await begin();
  const kept = await code();
  const ofPublic = await code({ clientId: 3 });
  const withoutCertificate = async (form: Readonly<Record<string, string>>, headers = { authorization }) =>
    postForm({ url: `${url}/token`, headers }, form);
  const exchangeForm = { grant_type: "authorization_code", redirect_uri: redirectUri, code_verifier: codeVerifier };
  for (const form of [
    { grant_type: "client_credentials" },
    { ...exchangeForm, code: kept.code },
    { grant_type: "refresh_token", refresh_token: refreshToken },
    { grant_type: "password", username: "john", password: "secret" },
  ]) {
    assertErrorForm(t, await withoutCertificate(form), "invalid_request", [400]);
  }
  const asPublic = { ...exchangeForm, code: ofPublic.code, client_id: "3" };
  assertErrorForm(t, await postForm({ url: `${url}/token` }, asPublic), "invalid_request", [400]);
  // Nor by the API, to whom a certificate is what its caller says.
  const create = { grantType: "AUTHORIZATION_CODE", clientId: 1, subject: "user-1" } as const;
  t.is((await api.authTokenCreate(create)).resultCode, "A108208");
  const ticket = (
    await api.authToken({
      parameters: "grant_type=password&username=john&password=secret",
      ...{ clientId: "1", clientSecret: secretOf(1), clientCertificate: k1.pem },
    })
  ).ticket;
  const { accessToken: ofPassword = "" } = await api.authTokenIssue({ ticket, subject: "user-1" });
  const issued = [
    ofPassword,
    accessTokenOf(t, await token({}, k1, { authorization })),
    tokensOf(t, await exchange(kept.code)).accessToken,
    tokensOf(t, await refresh(refreshToken)).accessToken,
    tokensOf(t, await exchange(ofPublic.code, { client_id: "3" }, k1, {})).accessToken,
  ];
  for (const value of issued) {
    const { cnf } = JSON.parse((await introspect(value)).body) as { cnf?: unknown };
    t.deepEqual(cnf, { "x5t#S256": k1.x5tS256 });
  }

  const unbound = accessTokenOf(t, await token({ scope: "read" }, undefined, { authorization: basic(4, secretOf(4)) }));
  const bound = accessTokenOf(t, await token({ scope: "read" }, k1, { authorization }));
  const { call } = await startServedApi(t, asking(url, resourceServer));
  t.is((await call(bound, k1)).status, 200);
  for (const as of [undefined, k1, k2]) t.is((await call(unbound, as)).status, 401);
});

test("9700-2.3-a: tokens have an audience where the service says so, and no scope beyond the client's", async (t) => {
  const [here, there] = [namedResourceServer.rsUri, "https://other.example.com"];
  const modest = grantsClient({ clientId: 1, extension: { requestableScopes: ["read"] } });
  const { exchange, refresh, token, facts, introspect, api, url } = await startGrants(
    t,
    { defaultResources: [here], supportedResources: [here, there] },
    [modest],
  );
  /** A code for what the user is asked, which is what the client may have of what it asked for. */
  const codeFor = async (asked: Readonly<Record<string, string>>): Promise<string> => {
    const { ticket } = await api.authAuthorization({
      parameters: new URLSearchParams({
        ...{ response_type: "code", client_id: "1", redirect_uri: redirectUri, scope: "read write" },
        ...{ code_challenge: codeChallenge, code_challenge_method: "S256" },
        ...asked,
      }).toString(),
    });
    return (await api.authAuthorizationIssue({ ticket: ticket ?? "", subject: "user-1" })).authorizationCode ?? "";
  };
  const begun = tokensOf(t, await exchange(await codeFor({})));
  const tokens = [
    begun.accessToken,
    accessTokenOf(t, await refresh(begun.refreshToken)),
    accessTokenOf(t, await token({ scope: "read write" }, k1, { authorization })),
    tokensOf(t, await exchange(await codeFor({ resource: here }))).accessToken,
  ];
  for (const value of tokens) t.like(await facts(value), { active: true, aud: [here], scope: "read" });
  const elsewhere = [
    accessTokenOf(t, await token({ scope: "read", resource: there }, k1, { authorization })),
    tokensOf(t, await exchange(await codeFor({ resource: there }))).accessToken,
  ];
  for (const value of elsewhere) {
    t.like(await facts(value), { active: true, aud: [there], scope: "read" });
    t.is((await introspect(value, namedResourceServer)).body, '{"active":false}');
  }
  const { call } = await startServedApi(t, asking(url, resourceServer), here);
  for (const value of tokens) t.is((await call(value, k1)).status, 200);
  for (const value of elsewhere) t.is((await call(value, k1)).status, 401);
  assertErrorForm(t, await token({ scope: "write" }, k1, { authorization }), "invalid_scope", [400]);
  const unknown = { scope: "read", resource: "https://unknown.example.com" };
  assertErrorForm(t, await token(unknown, k1, { authorization }), "invalid_target", [400]);
});

/** The facts as the authorization server's own introspection endpoint tells them to this resource server. */
function asking(url: string, { id, secret }: { readonly id: string; readonly secret: string }) {
  return introspectionEndpoint({
    url: `${url}/introspect`,
    issuer,
    clientAuthentication: { method: "client_secret_basic", clientId: id, clientSecret: secret },
    tls: { ca: serverCa },
    timeout: { attempt: 30_000, total: 30_000 },
  });
}
