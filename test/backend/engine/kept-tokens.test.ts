import test from "ava";
import { tokenDigestText } from "../../../src/oauth/token-digest.ts";
import { createSelfSigned } from "../../support/certificates.ts";
import { createEngineByHand, startInstant } from "../../support/engine.ts";
import { keepTokens } from "../../support/keep-tokens.ts";
import { clientSettings, secretOf, serviceId, serviceSettings } from "../../support/settings.ts";

const k1 = createSelfSigned({ subject: "CN=client-1" });
const services = [{ settings: serviceSettings(), clients: [clientSettings({ clientId: 1 })] }];

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

test("an answer says what it rests on: the token, its grant, its client and its service", async (t) => {
  const byHand = await createEngineByHand(t, services);
  const { grantId, accessToken, refreshToken } = await keepTokens(byHand, { clientId: 1 });
  const { authToken, authIntrospectionStandard } = byHand.operations();
  const keysOf = async (token: string) =>
    (await authIntrospectionStandard({ parameters: `token=${token}` })).invalidationKeys;
  const clientAndService = [`client:${serviceId}:1`, `service:${serviceId}`];
  for (const token of [accessToken, refreshToken]) {
    t.deepEqual(await keysOf(token), [`token:${tokenDigestText(token)}`, `grant:${grantId}`, ...clientAndService]);
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

for (const damaged of ["", "x", `${k1.x5tS256}=`, `${k1.x5tS256.slice(1)}+`, k1.x5tS256.slice(1), ` ${k1.x5tS256}`]) {
  test(`a row whose thumbprint is damaged (${JSON.stringify(damaged.slice(0, 2))}…, ${damaged.length}): A065306 for everyone`, async (t) => {
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
