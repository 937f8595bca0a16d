import { createHash } from "node:crypto";
import test, { type ExecutionContext } from "ava";
import type { Command } from "../../../../src/backend/store/command.ts";
import type { TokenResponse } from "../../../../src/contract/auth-token.ts";
import { errorOf, grantsOf, grantsServices, k1, type Asking, type Grants } from "../../../support/grants.ts";
import { createEngineByHand } from "../../../support/engine.ts";
import { codeVerifier, redirectUri } from "../../../support/authorization.ts";
import { secretOf, serviceId } from "../../../support/settings.ts";

const otherServiceId = serviceId + 1;

interface World extends Grants {
  /** What a client has that was granted something: a code that is not used, and a refresh token. */
  readonly held: Held;
  readonly commands: Command[];
}

interface Held {
  readonly code: string;
  readonly refreshToken: string;
}

/** Two services with clients of the same numbers and secrets; client 1 of the first has a code and a refresh token. */
async function open(t: ExecutionContext): Promise<World> {
  const commands: Command[] = [];
  const [own] = grantsServices();
  if (own === undefined) throw new Error("There is no service.");
  const other = { ...own, settings: { ...own.settings, apiKey: otherServiceId, issuer: "https://other.example.com" } };
  const byHand = await createEngineByHand(t, [own, other], {
    around: (store) => ({
      run: (command) => {
        commands.push(command);
        return store.run(command);
      },
    }),
  });
  const grants = grantsOf(byHand);
  const { refreshToken } = await grants.begin();
  const { code } = await grants.code();
  commands.length = 0;
  return { ...byHand, ...grants, held: { code, refreshToken }, commands };
}

type Members = Readonly<Record<string, string | undefined>>;
const encode = (form: Members): string =>
  new URLSearchParams(
    Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== undefined),
  ).toString();

/** By S256 (RFC 7636 §4.2). */
const challengeOf = (verifier: string): string => createHash("sha256").update(verifier).digest("base64url");

const exchangeOf = ({ code }: Held, form: Members = {}): string =>
  encode({ grant_type: "authorization_code", code, redirect_uri: redirectUri, code_verifier: codeVerifier, ...form });
const refreshOf = ({ refreshToken }: Held, form: Members = {}): string =>
  encode({ grant_type: "refresh_token", refresh_token: refreshToken, ...form });

/** Nothing came of it, nothing was written, and what the client has works as before. */
async function assertRefused(
  t: ExecutionContext,
  { held, commands, exchange, refresh }: World,
  answer: TokenResponse,
  [resultCode, error]: readonly [resultCode: string, error: string],
): Promise<void> {
  t.is(answer.resultCode, resultCode);
  t.is(errorOf(answer), error);
  t.deepEqual(commands, []);
  t.deepEqual([answer.accessToken, answer.refreshToken, answer.ticket], [undefined, undefined, undefined]);
  t.is((await exchange(held.code)).resultCode, "A050001");
  t.is((await refresh(held.refreshToken)).resultCode, "A053001");
}

const repeated = {
  grant_type: "A049303",
  client_id: "A244301",
  client_secret: "A158301",
  client_assertion: "A244302",
  client_assertion_type: "A158302",
  code: "A050303",
  redirect_uri: "A050304",
  code_verifier: "A050314",
  refresh_token: "A053303",
  scope: "A052302",
  username: "A051303",
  password: "A051306",
  nobody_knows: "A047202",
} as const;

for (const [parameter, code] of Object.entries(repeated)) {
  test(`${parameter} twice, with equal, different or no values: ${code}, and no change`, async (t) => {
    for (const formOf of [exchangeOf, refreshOf]) {
      for (const [one, two] of [
        ["a", "a"],
        ["a", "b"],
        ["a", ""],
        ["", ""],
      ]) {
        const world = await open(t);
        const rest = formOf(world.held, { [parameter]: undefined });
        const answer = await world.ask(`${parameter}=${one}&${rest}&${parameter}=${two}`);
        await assertRefused(t, world, answer, [code, "invalid_request"]);
      }
    }
  });
}

const oversized = "x".repeat(60_000);
const foreign: Asking = { clientSecret: secretOf(2) };

const refused: Readonly<
  Record<string, readonly [form: (held: Held) => string, code: string, error: string, asking?: Asking]>
> = {
  "an empty grant_type": [(held) => exchangeOf(held, { grant_type: "" }), "A049301", "invalid_request"],
  "an unknown grant_type": [(held) => exchangeOf(held, { grant_type: "code" }), "A049305", "unsupported_grant_type"],
  "a grant_type in capitals": [
    (held) => refreshOf(held, { grant_type: "REFRESH_TOKEN" }),
    "A049305",
    "unsupported_grant_type",
  ],
  "an empty redirect_uri": [(held) => exchangeOf(held, { redirect_uri: "" }), "A050308", "invalid_grant"],
  "an oversized grant_type": [
    (held) => exchangeOf(held, { grant_type: oversized }),
    "A049305",
    "unsupported_grant_type",
  ],
  "an oversized code": [(held) => exchangeOf(held, { code: oversized }), "A050305", "invalid_grant"],
  "an oversized redirect_uri": [(held) => exchangeOf(held, { redirect_uri: oversized }), "A050309", "invalid_grant"],
  "an oversized code_verifier": [(held) => exchangeOf(held, { code_verifier: oversized }), "A050316", "invalid_grant"],
  "an oversized refresh_token": [(held) => refreshOf(held, { refresh_token: oversized }), "A053305", "invalid_grant"],
  "an oversized scope": [(held) => refreshOf(held, { scope: oversized }), "A053309", "invalid_scope"],
  "an oversized resource": [
    (held) => exchangeOf(held, { resource: `https://${oversized}` }),
    "A251309",
    "invalid_target",
  ],
  "an oversized client_id": [
    (held) => exchangeOf(held, { client_id: oversized }),
    "A244306",
    "invalid_client",
    { clientId: null, clientSecret: null },
  ],
  "an oversized secret": [(held) => exchangeOf(held), "A157305", "invalid_client", { clientSecret: oversized }],
  "an oversized assertion": [
    (held) => exchangeOf(held, { client_assertion: oversized }),
    "A157357",
    "invalid_client",
    { clientSecret: null },
  ],
  "more parameters than anyone has": [
    (held) => `${exchangeOf(held)}${"&x=".repeat(1000)}`,
    "A047202",
    "invalid_request",
  ],
  "the code as refresh token": [(held) => refreshOf(held, { refresh_token: held.code }), "A053305", "invalid_grant"],
  "the refresh token as code": [(held) => exchangeOf(held, { code: held.refreshToken }), "A050305", "invalid_grant"],
  "another client's secret": [(held) => exchangeOf(held), "A157305", "invalid_client", foreign],
  "another client's secret, refreshing": [(held) => refreshOf(held), "A157305", "invalid_client", foreign],
  "an unknown client": [(held) => exchangeOf(held), "A244306", "invalid_client", { clientId: "9" }],
  "another client": [(held) => exchangeOf(held), "A050307", "invalid_grant", { client: 2 }],
  "another client, refreshing": [(held) => refreshOf(held), "A053307", "invalid_grant", { client: 2 }],
};

for (const [what, [formOf, code, error, asking]] of Object.entries(refused)) {
  test(`${what}: ${code}, ${error}, and no change`, async (t) => {
    const world = await open(t);
    await assertRefused(t, world, await world.ask(formOf(world.held), asking), [code, error]);
  });
}

test("codes and refresh tokens of another service are unknown, also to a client of the same number", async (t) => {
  for (const [formOf, code] of [
    [exchangeOf, "A050305"],
    [refreshOf, "A053305"],
  ] as const) {
    const world = await open(t);
    const answer = await world.operations(otherServiceId).authToken({
      parameters: formOf(world.held),
      clientId: "1",
      clientSecret: secretOf(1),
      clientCertificate: k1.pem,
    });
    await assertRefused(t, world, answer, [code, "invalid_grant"]);
  }
});

test("a verifier or redirect URI of another code of the same client is rejected and changes nothing", async (t) => {
  const verifier = "v".repeat(43);
  for (const [form, code] of [
    [{ code_verifier: verifier }, "A050315"],
    [{ redirect_uri: "https://client.example.com/other" }, "A050309"],
  ] as const) {
    const world = await open(t);
    await world.code({ redirectUri: "https://client.example.com/other", codeChallenge: challengeOf(verifier) });
    await assertRefused(t, world, await world.exchange(world.held.code, form), [code, "invalid_grant"]);
  }
});

test("unknown parameters change nothing, whatever their names", async (t) => {
  const { ask, held } = await open(t);
  const unknown = "&nobody_knows=1&__proto__=2&constructor=3&%5B%5D=4&access_token=5";
  t.is((await ask(`${exchangeOf(held)}${unknown}`)).resultCode, "A050001");
  t.is((await ask(`${refreshOf(held)}${unknown}`)).resultCode, "A053001");
});
