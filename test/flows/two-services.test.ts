import test, { type ExecutionContext } from "ava";
import type { Configuration } from "../../src/backend/configuration/configuration.ts";
import { createAuthority, createSelfSigned } from "../support/certificates.ts";
import { accessTokenOf, startAuthorizationServer, startDeployment } from "../support/deployment.ts";
import { assertErrorForm } from "../support/error-form.ts";
import { basic, send } from "../support/https-request.ts";
import {
  apiSecret,
  clientSettings,
  jwksOf,
  serviceAccessToken,
  serviceId,
  serviceSettings,
} from "../support/settings.ts";

const alias = "same-alias";
const subject = "CN=client";
const secrets = ["secret-of-client-at-one-0123456789abcdef", "secret-of-client-at-two-0123456789abcdef"] as const;
const authorities = [createAuthority({ subject: "CN=CA One" }), createAuthority({ subject: "CN=CA Two" })] as const;
const issued = [authorities[0].issue({ subject }), authorities[1].issue({ subject })] as const;
const registered = [createSelfSigned({ subject }), createSelfSigned({ subject })] as const;

/** Clients of the same ids at both services: 1 (and its alias) has a secret, 2 a subject, 3 a registered certificate. */
const clientsAt = (which: 0 | 1) => {
  const bound = { tlsClientCertificateBoundAccessTokens: which === 0 };
  return [
    clientSettings({
      clientId: 1,
      clientIdAlias: alias,
      clientSecret: secrets[which],
      extension: { accessTokenDuration: which === 0 ? 600 : 1200 },
      ...bound,
    }),
    clientSettings({ clientId: 2, tokenAuthMethod: "TLS_CLIENT_AUTH", tlsClientAuthSubjectDn: subject, ...bound }),
    clientSettings({
      clientId: 3,
      tokenAuthMethod: "SELF_SIGNED_TLS_CLIENT_AUTH",
      jwks: jwksOf(registered[which]),
      ...bound,
    }),
  ];
};

const serviceOne = {
  issuer: "https://one.example.com",
  supportedScopes: [{ name: "one", defaultEntry: true }],
  trustedRootCertificates: [authorities[0].certificate.pem],
};
const serviceTwo = serviceSettings({
  apiKey: serviceId + 1,
  apiSecret: "service-two-secret-0123456789abcdefghijklmn",
  accessTokens: ["service-two-access-token-0123456789abcdefgh"],
  issuer: "https://two.example.com",
  supportedScopes: [{ name: "two", defaultEntry: true }],
  accessTokenType: "bearer",
  trustedRootCertificates: [authorities[1].certificate.pem],
});
const [accessTokenTwo = ""] = serviceTwo.accessTokens;

async function startTwoServices(t: ExecutionContext) {
  const otherServices: Configuration["services"] = [{ settings: serviceTwo, clients: clientsAt(1) }];
  const one = await startDeployment(t, { service: serviceOne, clients: clientsAt(0), otherServices });
  const two = await startAuthorizationServer(t, one.backendUrl, serviceTwo);
  return { one, two, backendUrl: one.backendUrl };
}

const authorization = (which: 0 | 1, clientId: number | string = 1) => ({
  authorization: basic(clientId, secrets[which]),
});

const isActive = (body: string): boolean => (JSON.parse(body) as { active: boolean }).active;

test("an API caller with another service's credentials gets a 401 in the contract's form, and nothing else", async (t) => {
  const { backendUrl, one } = await startTwoServices(t);
  const token = accessTokenOf(t, await one.token({}, registered[0], authorization(0)));
  const bodies = {
    "/auth/token": { parameters: "grant_type=client_credentials", clientId: "1", clientSecret: secrets[1] },
    "/auth/introspection": { token },
    "/auth/introspection/standard": { parameters: `token=${token}` },
    "/auth/revocation": { parameters: `token=${token}`, clientId: "1", clientSecret: secrets[0] },
  };
  const [idOne, idTwo] = [serviceId, serviceTwo.apiKey];
  for (const [path, body] of Object.entries(bodies)) {
    const call = (place: string, credentials: string) =>
      send({
        url: `${backendUrl}/api${place}${path}`,
        method: "POST",
        headers: { "content-type": "application/json", authorization: credentials },
        body: JSON.stringify(body),
      });
    const refused = [
      [await call(`/${idTwo}`, `Bearer ${serviceAccessToken}`), 401, "A458101"],
      [await call(`/${idOne}`, `Bearer ${accessTokenTwo}`), 401, "A458101"],
      [await call("", basic(idTwo, apiSecret)), 401, "A003204"],
      [await call("", basic(idOne, serviceTwo.apiSecret)), 401, "A003204"],
      // A v3 path takes Bearer alone: Basic is malformed there, whosever it is.
      [await call(`/${idTwo}`, basic(idOne, apiSecret)), 400, "A001203"],
    ] as const;
    for (const [answer, status, resultCode] of refused) {
      t.is(answer.status, status, answer.body);
      const members = JSON.parse(answer.body) as Record<string, unknown>;
      t.deepEqual(Object.keys(members).sort(), ["resultCode", "resultMessage"]);
      t.is(members["resultCode"], resultCode);
      t.true(String(members["resultMessage"]).startsWith(`[${resultCode}] `));
      t.is(answer.headers["content-type"], "application/json");
      if (status === 401) t.truthy(answer.headers["www-authenticate"]);
    }
  }
  t.true(isActive((await one.introspect(token)).body));
});

test("a client of the same id and alias at another service is another client: no credentials work there", async (t) => {
  const { one, two } = await startTwoServices(t);
  const asks = (front: typeof two, which: 0 | 1) => [
    front.token({}, issued[which], authorization(which)),
    front.token({}, issued[which], authorization(which, alias)),
    front.token({ client_id: "2" }, issued[which]),
    front.token({ client_id: "3" }, registered[which]),
  ];
  for (const answer of await Promise.all([...asks(one, 0), ...asks(two, 1)])) accessTokenOf(t, answer);
  for (const answer of await Promise.all([...asks(one, 1), ...asks(two, 0)])) {
    assertErrorForm(t, answer, "invalid_client", [400, 401]);
  }
});

test("two services with the same client id decide alternating requests by their own settings", async (t) => {
  const { one, two } = await startTwoServices(t);
  const expected = {
    one: { iss: "https://one.example.com", scope: "one", token_type: "Bearer", life: 600, bound: true },
    two: { iss: "https://two.example.com", scope: "two", token_type: "bearer", life: 1200, bound: false },
  };
  const turns = ["one", "two", "one", "two", "two", "one"] as const;
  const tokens = new Map<string, (typeof turns)[number]>();
  for (const turn of turns) {
    const [front, which] = turn === "one" ? ([one, 0] as const) : ([two, 1] as const);
    const named = tokens.size < 3 ? 1 : alias;
    const answer = await front.token({}, issued[which], authorization(which, named));
    tokens.set(accessTokenOf(t, answer), turn);
    t.is((JSON.parse(answer.body) as { expires_in: number }).expires_in, expected[turn].life);
  }
  t.is(tokens.size, turns.length);
  for (const [token, turn] of tokens) {
    const front = turn === "one" ? one : two;
    const facts = JSON.parse((await front.introspect(token)).body) as Record<string, unknown>;
    const { iss, scope, token_type, exp, iat, cnf } = facts;
    const life = Number(exp) - Number(iat);
    t.deepEqual({ iss, scope, token_type, life, bound: cnf !== undefined }, expected[turn]);
  }
});

test("7662-x-b: a token of one service is unknown to another, in both forms, and cannot be revoked there", async (t) => {
  const { one, two } = await startTwoServices(t);
  const services = [
    [one, two, 0, 1],
    [two, one, 1, 0],
  ] as const;
  for (const [home, abroad, at, elsewhere] of services) {
    const token = accessTokenOf(t, await home.token({}, issued[at], authorization(at)));
    const decide = (front: typeof two) => front.api.authIntrospection({ token, clientCertificate: issued[at].pem });
    t.is((await decide(home)).resultCode, "A056001");
    const unknown = await abroad.api.authIntrospection({ token: "A".repeat(43) });
    t.is(unknown.resultCode, "A057302");
    t.deepEqual(await decide(abroad), unknown);
    t.is((await abroad.introspect(token)).body, '{"active":false}');

    const revoked = await abroad.revoke({ token }, issued[elsewhere], authorization(elsewhere));
    t.is(revoked.status, 200, revoked.body);
    t.true(isActive((await home.introspect(token)).body));
    t.is((await decide(home)).resultCode, "A056001");
  }
});

test("a service with two service access tokens: each works, and no combination or extension does", async (t) => {
  const tokens = [serviceAccessToken, "service-access-token-of-another-caller-012345"];
  const { backendUrl } = await startDeployment(t, { service: { accessTokens: tokens }, clients: [] });
  const ask = (accessToken: string) =>
    send({
      url: `${backendUrl}/api/${serviceId}/auth/introspection`,
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${accessToken}` },
      body: JSON.stringify({ token: "x" }),
    });
  for (const accessToken of tokens) t.is((await ask(accessToken)).status, 200);
  for (const wrong of [tokens.join(""), `${tokens[1] ?? ""}x`]) t.is((await ask(wrong)).status, 401);
});
