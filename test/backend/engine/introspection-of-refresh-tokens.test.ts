import test from "ava";
import { createEngineByHand } from "../../support/engine.ts";
import { keepTokens } from "../../support/keep-tokens.ts";
import { clientSettings, secretOf, serviceId, serviceSettings } from "../../support/settings.ts";
import { createSelfSigned } from "../../support/certificates.ts";

const k1 = createSelfSigned({ subject: "CN=client-1" });
const clients = [
  clientSettings({ clientId: 1 }),
  clientSettings({ clientId: 2, tokenAuthMethod: "NONE", grantTypes: ["PASSWORD", "REFRESH_TOKEN"] }),
];
const rsUri = "https://api.example.com";
const hints = ["", "&token_type_hint=access_token", "&token_type_hint=refresh_token", "&token_type_hint=other"];
const off = serviceSettings();
const on = serviceSettings({ introspectionOfRefreshTokens: true });

test("a refresh token is inactive to every caller, whatever the hint, unless the service says otherwise", async (t) => {
  const byHand = await createEngineByHand(t, [{ settings: off, clients }]);
  const { authIntrospectionStandard, authIntrospection, authUserinfo } = byHand.operations();
  const { accessToken, refreshToken } = await keepTokens(byHand, { clientId: 1 });
  const never = await authIntrospectionStandard({ parameters: "token=unknown" });
  for (const hint of hints) {
    for (const caller of [{}, { rsUri: "" }, { rsUri: null }, { rsUri }]) {
      const answer = await authIntrospectionStandard({ parameters: `token=${refreshToken}${hint}`, ...caller });
      t.deepEqual(answer, never, `${hint} ${JSON.stringify(caller)}`);
    }
  }
  t.is(never.responseContent, '{"active":false}');
  // The token is in force: its own grant's access token is active, and revoking it ends that.
  const ofAccessToken = () => authIntrospectionStandard({ parameters: `token=${accessToken}` });
  t.regex((await ofAccessToken()).responseContent ?? "", /"active":true/);
  t.like(await authIntrospection({ token: refreshToken }), { action: "UNAUTHORIZED", existent: false });
  t.is((await authUserinfo({ token: refreshToken })).action, "UNAUTHORIZED");
  const revocation = { parameters: `token=${refreshToken}`, clientId: "1", clientSecret: secretOf(1) };
  t.is((await byHand.operations().authRevocation(revocation)).action, "OK");
  t.is((await ofAccessToken()).responseContent, '{"active":false}');
});

test("with introspectionOfRefreshTokens it is active to a caller without rsUri, marked as a refresh token", async (t) => {
  const byHand = await createEngineByHand(t, [{ settings: on, clients }]);
  const { authIntrospectionStandard, authIntrospection } = byHand.operations();
  const { refreshToken } = await keepTokens(byHand, { clientId: 1 });
  for (const hint of hints) {
    const { responseContent = "" } = await authIntrospectionStandard({ parameters: `token=${refreshToken}${hint}` });
    const content = JSON.parse(responseContent) as object;
    t.like(content, { active: true, scope: "read", client_id: "1", token_use: "refresh_token" });
    t.false("token_type" in content);
    t.false("cnf" in content);
    const named = await authIntrospectionStandard({ parameters: `token=${refreshToken}${hint}`, rsUri });
    t.is(named.responseContent, '{"active":false}');
  }
  t.like(await authIntrospection({ token: refreshToken }), { action: "UNAUTHORIZED", existent: false });
});

test("an answer about a refresh token that is bound to a certificate has its cnf", async (t) => {
  const byHand = await createEngineByHand(t, [
    { settings: { ...on, supportedGrantTypes: ["PASSWORD", "REFRESH_TOKEN"] }, clients },
  ]);
  const { authToken, authTokenIssue, authIntrospectionStandard } = byHand.operations(serviceId);
  const asked = await authToken({
    parameters: "grant_type=password&username=u&password=p&client_id=2",
    clientCertificate: k1.pem,
  });
  t.is(asked.action, "PASSWORD", asked.resultMessage);
  const { refreshToken } = await authTokenIssue({ ticket: asked.ticket, subject: "user-1" });
  const { responseContent } = await authIntrospectionStandard({ parameters: `token=${refreshToken ?? ""}` });
  t.like(JSON.parse(responseContent ?? ""), {
    active: true,
    token_use: "refresh_token",
    cnf: { "x5t#S256": k1.x5tS256 },
  });
});
