import test, { type ExecutionContext } from "ava";
import { pino } from "pino";
import { openBackend } from "../../src/backend/backend.ts";
import type { TokenResponse } from "../../src/contract/auth-token.ts";
import { startInstant } from "../support/engine.ts";
import { errorOf } from "../support/grants.ts";
import { clientSettings, configurationOf, secretOf, serviceSettings } from "../support/settings.ts";

const second = 1_000;
const redirectUri = "https://client.example.com/cb";
const grants = ["AUTHORIZATION_CODE", "REFRESH_TOKEN", "CLIENT_CREDENTIALS"] as const;
const client = clientSettings({
  clientId: 1,
  grantTypes: grants,
  redirectUris: [redirectUri],
  tlsClientCertificateBoundAccessTokens: false,
});
const service = serviceSettings({
  supportedGrantTypes: grants,
  introspectionOfRefreshTokens: true,
  authorizationCodeDuration: 60,
  accessTokenDuration: 60,
});

interface World {
  /** Both clocks go on, in milliseconds. */
  readonly pass: (milliseconds: number) => void;
  /** The wall clock alone. */
  readonly step: (milliseconds: number) => void;
  readonly code: () => Promise<string>;
  readonly redeem: (code: string) => Promise<TokenResponse>;
  readonly refresh: (token: string | undefined) => Promise<TokenResponse>;
  readonly isActive: (token: string | undefined) => Promise<boolean>;
}

async function open(t: ExecutionContext): Promise<World> {
  let [passed, stepped] = [0, 0];
  const backend = await openBackend({
    configuration: configurationOf([{ settings: service, clients: [client] }]),
    log: pino({ level: "silent" }),
    clock: () => startInstant + passed + stepped,
    monotonicClock: () => passed,
  });
  t.teardown(() => backend.close());
  const ask = (form: Readonly<Record<string, string>>) =>
    backend.authToken({
      parameters: new URLSearchParams(form).toString(),
      clientId: "1",
      clientSecret: secretOf(1),
    });
  return {
    pass: (milliseconds) => void (passed += milliseconds),
    step: (milliseconds) => void (stepped += milliseconds),
    async code() {
      const asked = new URLSearchParams({ response_type: "code", client_id: "1", redirect_uri: redirectUri });
      const { ticket } = await backend.authAuthorization({ parameters: asked.toString() });
      const { authorizationCode } = await backend.authAuthorizationIssue({ ticket: ticket ?? "", subject: "user-1" });
      if (authorizationCode === undefined) throw new Error("There is no code.");
      return authorizationCode;
    },
    redeem: (code) => ask({ grant_type: "authorization_code", code, redirect_uri: redirectUri }),
    refresh: (token = "") => ask({ grant_type: "refresh_token", refresh_token: token }),
    async isActive(token) {
      const { responseContent } = await backend.authIntrospectionStandard({ parameters: `token=${token}` });
      return (JSON.parse(responseContent ?? "") as { active: boolean }).active;
    },
  };
}

test("a code that has expired is invalid_grant for as long as a clock that stepped back 20 s is behind", async (t) => {
  const { code, redeem, pass, step } = await open(t);
  const expired = await code();
  pass(59 * second);
  const last = await code();
  pass(second);
  t.is(errorOf(await redeem(expired)), "invalid_grant");
  step(-20 * second);
  for (const more of [0, 10, 10]) {
    pass(more * second);
    t.is(errorOf(await redeem(expired)), "invalid_grant");
  }
  t.is((await redeem(last)).action, "OK");
});

test("a code that has expired without anybody asking for it is invalid_grant after the step, too", async (t) => {
  const { code, redeem, isActive, pass, step } = await open(t);
  const { refreshToken } = await redeem(await code());
  const expired = await code();
  pass(61 * second);
  // The instant was acted on; nothing was said of this code.
  t.true(await isActive(refreshToken));
  step(-20 * second);
  t.is(errorOf(await redeem(expired)), "invalid_grant");
});

test("an access token that has expired stays inactive after the clock has stepped back by 20 s", async (t) => {
  const { code, redeem, isActive, pass, step } = await open(t);
  const { accessToken: expired } = await redeem(await code());
  pass(60 * second);
  t.false(await isActive(expired));
  step(-20 * second);
  t.false(await isActive(expired));
});

test("codes and tokens that have not expired work right after the clock has stepped back by 120 s", async (t) => {
  const { code, redeem, refresh, isActive, pass, step } = await open(t);
  const held = await code();
  const first = await redeem(await code());
  pass(second);
  step(-120 * second);
  t.true(await isActive(first.accessToken));
  t.true(await isActive(first.refreshToken));
  t.is((await redeem(held)).action, "OK");
  const renewed = await refresh(first.refreshToken);
  t.is(renewed.action, "OK");
  t.true(await isActive(renewed.accessToken));
  // What is issued while it is behind is good, too.
  const third = await redeem(await code());
  t.is(third.action, "OK");
  t.true(await isActive(third.accessToken));
  pass(240 * second);
  t.true(await isActive(third.refreshToken));
  t.false(await isActive(third.accessToken));
});
