import test from "ava";
import { tokenDigest, tokenDigestText } from "../../../../src/oauth/token-digest.ts";
import { createSelfSigned } from "../../../support/certificates.ts";
import { createEngineByHand, startInstant } from "../../../support/engine.ts";
import { keepTokens } from "../../../support/keep-tokens.ts";
import { clientSettings, secretOf, serviceId, serviceSettings } from "../../../support/settings.ts";

const k1 = createSelfSigned({ subject: "CN=client-1" });
const services = [
  { settings: serviceSettings({ introspectionOfRefreshTokens: true }), clients: [clientSettings({ clientId: 1 })] },
];

test("a refresh token is active until the second it expires in, and not from then on", async (t) => {
  const byHand = await createEngineByHand(t, services);
  const { refreshToken } = await keepTokens(byHand, { clientId: 1 });
  const ask = async (now: number) => {
    byHand.setClock(now);
    return (await byHand.operations().authIntrospectionStandard({ parameters: `token=${refreshToken}` }))
      .responseContent;
  };
  const exp = Math.floor((startInstant + 86_400_000) / 1000);
  t.like(JSON.parse((await ask(exp * 1000 - 1)) ?? ""), { active: true, exp, token_use: "refresh_token" });
  t.is(await ask(exp * 1000), '{"active":false}');
  t.is(await ask(exp * 1000 + 1), '{"active":false}');
});

test("an answer names its keys: the token, its grant, its subject, its client and its service", async (t) => {
  const byHand = await createEngineByHand(t, services);
  const { grantId, accessToken, refreshToken } = await keepTokens(byHand, { clientId: 1 });
  const { authToken, authIntrospectionStandard } = byHand.operations();
  const keysOf = async (token: string) =>
    (await authIntrospectionStandard({ parameters: `token=${token}` })).invalidationKeys;
  const subject = `subject:${tokenDigestText("user-1")}`;
  const clientAndService = [`client:${serviceId}:1`, `service:${serviceId}`];
  for (const token of [accessToken, refreshToken]) {
    t.deepEqual(await keysOf(token), [
      `token:${tokenDigestText(token)}`,
      `grant:${grantId}`,
      subject,
      ...clientAndService,
    ]);
  }
  const alone = await authToken({
    parameters: "grant_type=client_credentials",
    clientId: "1",
    clientSecret: secretOf(1),
    clientCertificate: k1.pem,
  });
  const token = alone.accessToken ?? "";
  t.deepEqual(await keysOf(token), [`token:${tokenDigestText(token)}`, ...clientAndService]);
});

test("a refresh token that was rotated is not active any more, its successor and the access tokens are", async (t) => {
  const byHand = await createEngineByHand(t, services);
  const first = await keepTokens(byHand, { clientId: 1 });
  const digest = tokenDigest(first.refreshToken);
  const { store, operations } = byHand;
  const source = { kind: "refresh-token", digest, sealedAnswer: new Uint8Array(40) } as const;
  const second = await keepTokens(byHand, { clientId: 1, grantId: first.grantId, source });
  t.truthy((await store.readRefreshToken(serviceId, digest))?.consumption, "the store knows it still");
  const answerFor = async (token: string) =>
    (await operations().authIntrospectionStandard({ parameters: `token=${token}` })).responseContent ?? "";
  t.is(await answerFor(first.refreshToken), '{"active":false}');
  for (const token of [first.accessToken, second.accessToken, second.refreshToken]) {
    t.like(JSON.parse(await answerFor(token)), { active: true });
  }
});

test("a refresh token that was rotated still ends its family when it is revoked", async (t) => {
  const byHand = await createEngineByHand(t, services);
  const first = await keepTokens(byHand, { clientId: 1 });
  const source = {
    kind: "refresh-token",
    digest: tokenDigest(first.refreshToken),
    sealedAnswer: new Uint8Array(40),
  } as const;
  const second = await keepTokens(byHand, { clientId: 1, grantId: first.grantId, source });
  const { authRevocation, authIntrospectionStandard } = byHand.operations();
  const answer = await authRevocation({
    parameters: `token=${first.refreshToken}`,
    clientId: "1",
    clientSecret: secretOf(1),
    clientCertificate: k1.pem,
  });
  t.is(answer.resultCode, "A113001");
  for (const token of [first.accessToken, second.accessToken, second.refreshToken]) {
    const { responseContent } = await authIntrospectionStandard({ parameters: `token=${token}` });
    t.is(responseContent, '{"active":false}');
  }
});

test("a JWT access token rests on the opaque identifier's key, and revoking the one ends the other", async (t) => {
  for (const revoked of ["jwt", "opaque"] as const) {
    const byHand = await createEngineByHand(t, services);
    const jwt = `header.payload.${revoked}`;
    const { accessToken } = await keepTokens(byHand, { clientId: 1, jwt });
    const { authRevocation, authIntrospectionStandard } = byHand.operations();
    const ask = (token: string) => authIntrospectionStandard({ parameters: `token=${token}` });
    for (const token of [accessToken, jwt]) {
      t.is((await ask(token)).invalidationKeys?.[0], `token:${tokenDigestText(accessToken)}`);
    }
    const { cursor: after } = await byHand.store.readInvalidationEvents({ limit: 1 });
    await authRevocation({
      parameters: `token=${revoked === "jwt" ? jwt : accessToken}`,
      clientId: "1",
      clientSecret: secretOf(1),
      clientCertificate: k1.pem,
    });
    for (const token of [accessToken, jwt]) t.is((await ask(token)).responseContent, '{"active":false}');
    const read = await byHand.store.readInvalidationEvents({ after, limit: 9 });
    t.deepEqual(read.reset ? [] : read.events.map(({ keys }) => keys), [[`token:${tokenDigestText(accessToken)}`]]);
  }
});

for (const damaged of ["", "x", `${k1.x5tS256}=`, `${k1.x5tS256.slice(1)}+`, k1.x5tS256.slice(1), ` ${k1.x5tS256}`]) {
  test(`a row with a damaged thumbprint (${JSON.stringify(damaged.slice(0, 2))}…, ${damaged.length}): A065306 for everyone`, async (t) => {
    const byHand = await createEngineByHand(t, services);
    const { accessToken } = await keepTokens(byHand, { clientId: 1, x5tS256: damaged });
    const { authIntrospection, authIntrospectionStandard } = byHand.operations();
    for (const clientCertificate of [undefined, k1.pem]) {
      const answer = await authIntrospection({ token: accessToken, clientCertificate });
      t.is(answer.resultCode, "A065306");
      t.is(answer.action, "UNAUTHORIZED");
    }
    const standard = await authIntrospectionStandard({ parameters: `token=${accessToken}` });
    t.is(standard.responseContent, '{"active":false}');
  });
}
