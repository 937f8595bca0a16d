import { createHash, randomBytes, randomUUID } from "node:crypto";
import test from "ava";
import type { Command } from "../../../../src/backend/store/command.ts";
import { StoreFailure, type Store } from "../../../../src/backend/store/store.ts";
import { createEngineByHand, startInstant, type EngineByHand } from "../../../support/engine.ts";
import { keepTokens } from "../../../support/keep-tokens.ts";
import { clientSettings, secretOf, serviceId, serviceSettings } from "../../../support/settings.ts";

const clients = [
  clientSettings({ clientId: 1 }),
  clientSettings({ clientId: 2 }),
  clientSettings({ clientId: 3, tokenAuthMethod: "NONE" }),
];
const services = [{ settings: serviceSettings({ introspectionOfRefreshTokens: true }), clients }];
const asClient = (clientId: number) => ({ clientId: String(clientId), clientSecret: secretOf(clientId) });

/** Commands that the engine gave its store, in order. */
function recording(commands: Command[]) {
  return (store: Store): Partial<Store> => ({
    run: (command) => {
      commands.push(command);
      return store.run(command);
    },
  });
}

async function isActive({ operations }: EngineByHand, token: string): Promise<boolean> {
  const answer = await operations().authIntrospectionStandard({ parameters: `token=${token}` });
  return (JSON.parse(answer.responseContent ?? "") as { active: boolean }).active;
}

for (const [parameters, code, action, error] of [
  [null, "A113201", "INTERNAL_SERVER_ERROR", "server_error"],
  [undefined, "A113201", "INTERNAL_SERVER_ERROR", "server_error"],
  ["", "A113301", "BAD_REQUEST", "invalid_request"],
  [" \r\n", "A113301", "BAD_REQUEST", "invalid_request"],
  ["token=%zz", "A113202", "BAD_REQUEST", "invalid_request"],
  ["token=ACCESS&token_type_hint=a&token_type_hint=b", "A113202", "BAD_REQUEST", "invalid_request"],
  ["token_type_hint=access_token", "A115301", "BAD_REQUEST", "invalid_request"],
  ["token=", "A115301", "BAD_REQUEST", "invalid_request"],
  ["token=ACCESS&token=ACCESS", "A115303", "BAD_REQUEST", "invalid_request"],
  ["token=ACCESS&client_id=1&client_id=1", "A244301", "BAD_REQUEST", "invalid_request"],
  ["token=ACCESS&client_secret=a&client_secret=b", "A158301", "BAD_REQUEST", "invalid_request"],
] as const) {
  test(`a revocation request of ${JSON.stringify(parameters)}: ${code}, ${error}`, async (t) => {
    const commands: Command[] = [];
    const byHand = await createEngineByHand(t, services, { around: recording(commands) });
    const { accessToken } = await keepTokens(byHand, { clientId: 1 });
    const given = typeof parameters === "string" ? parameters.replaceAll("ACCESS", accessToken) : parameters;
    const answer = await byHand.operations().authRevocation({ parameters: given, ...asClient(1) });
    t.is(answer.resultCode, code);
    t.is(answer.action, action);
    t.is((JSON.parse(answer.responseContent ?? "") as { error: string }).error, error);
    t.deepEqual(commands, []);
    t.true(await isActive(byHand, accessToken));
  });
}

test("an access token that is ended: A113001, OK, no content, and ended by one command at this instant", async (t) => {
  const commands: Command[] = [];
  const byHand = await createEngineByHand(t, services, { around: recording(commands) });
  const { accessToken, refreshToken } = await keepTokens(byHand, { clientId: 1 });
  const revoke = () => byHand.operations().authRevocation({ parameters: `token=${accessToken}`, ...asClient(1) });
  const answer = await revoke();
  t.deepEqual(answer, {
    resultCode: "A113001",
    resultMessage: "[A113001] The token is unknown, expired or revoked.",
    action: "OK",
  });
  t.false(await isActive(byHand, accessToken));
  t.true(await isActive(byHand, refreshToken));
  t.like(commands[0], { name: "revoke-access-token", serviceId, endedAt: startInstant });
  t.deepEqual(await revoke(), answer);
  t.deepEqual(
    commands.map(({ name }) => name),
    ["revoke-access-token", "invalidate-token"],
  );
});

test("an unknown token: A113001, OK, and one event removes it from caches", async (t) => {
  const byHand = await createEngineByHand(t, services);
  const { cursor: after } = await byHand.store.readInvalidationEvents({ limit: 1 });
  const answer = await byHand.operations().authRevocation({ parameters: "token=unknown", ...asClient(1) });
  t.is(answer.resultCode, "A113001");
  const read = await byHand.store.readInvalidationEvents({ after, limit: 10 });
  t.false(read.reset);
  if (read.reset) return;
  const key = `token:${createHash("sha256").update("unknown").digest("base64url")}`;
  t.deepEqual(
    read.events.map(({ serviceId: of, keys }) => ({ of, keys })),
    [{ of: serviceId, keys: [key] }],
  );
});

test("an unknown token of a public client, which anyone can claim to be, writes nothing", async (t) => {
  const commands: Command[] = [];
  const byHand = await createEngineByHand(t, services, { around: recording(commands) });
  const answer = await byHand.operations().authRevocation({ parameters: "token=unknown&client_id=3" });
  t.is(answer.resultCode, "A113001");
  t.deepEqual(commands, []);
});

for (const kind of ["accessToken", "refreshToken"] as const) {
  test(`the ${kind} of another client: A116301, BAD_REQUEST, and it stays active`, async (t) => {
    const commands: Command[] = [];
    const byHand = await createEngineByHand(t, services, { around: recording(commands) });
    const token = (await keepTokens(byHand, { clientId: 1 }))[kind];
    const answer = await byHand.operations().authRevocation({ parameters: `token=${token}`, ...asClient(2) });
    t.is(answer.resultCode, "A116301");
    t.is(answer.action, "BAD_REQUEST");
    t.deepEqual(JSON.parse(answer.responseContent ?? ""), {
      error: "invalid_request",
      error_description: "[A116301] The token was issued to another client.",
    });
    const toAnyone = await byHand.operations().authRevocation({ parameters: `token=${token}&client_id=3` });
    t.is(toAnyone.resultCode, "A113001");
    t.deepEqual(commands, []);
    t.true(await isActive(byHand, token));
  });
}

for (const [what, command] of [
  ["access token", "revoke-access-token"],
  ["refresh token", "end-grant"],
] as const) {
  test(`${what} that another ends between decision and write: A113001, after one conflict`, async (t) => {
    const outcomes: string[] = [];
    const byHand = await createEngineByHand(t, services, {
      around: (store) => ({
        run: async (wanted) => {
          await store.run({ ...wanted, attempt: randomBytes(16) });
          const outcome = await store.run(wanted);
          outcomes.push(`${wanted.name} ${outcome}`);
          return outcome;
        },
      }),
    });
    const tokens = await keepTokens(byHand, { clientId: 1 });
    const token = what === "access token" ? tokens.accessToken : tokens.refreshToken;
    const answer = await byHand.operations().authRevocation({ parameters: `token=${token}`, ...asClient(1) });
    t.is(answer.resultCode, "A113001");
    t.deepEqual(outcomes, [`${command} conflict`, "invalidate-token done"]);
    t.false(await isActive(byHand, token));
  });
}

test("an end that the store could not keep is not acknowledged", async (t) => {
  const byHand = await createEngineByHand(t, services, {
    around: () => ({ run: () => Promise.reject(new StoreFailure("the disk is full")) }),
  });
  const { accessToken } = await keepTokens(byHand, { clientId: 1 });
  const asked = byHand.operations().authRevocation({ parameters: `token=${accessToken}`, ...asClient(1) });
  await t.throwsAsync(asked, { instanceOf: StoreFailure });
  t.true(await isActive(byHand, accessToken));
});

test("a client that fails to prove itself ends nothing, its own tokens included", async (t) => {
  const commands: Command[] = [];
  const byHand = await createEngineByHand(t, services, { around: recording(commands) });
  const { accessToken } = await keepTokens(byHand, { clientId: 1, grantId: randomUUID() });
  const parameters = `token=${accessToken}`;
  for (const [credentials, code] of [
    [{}, "A244305"],
    [{ clientId: "1" }, "A157304"],
    [{ clientId: "1", clientSecret: "wrong" }, "A157305"],
    [{ clientId: "9", clientSecret: secretOf(1) }, "A244306"],
  ] as const) {
    const answer = await byHand.operations().authRevocation({ parameters, ...credentials });
    t.is(answer.resultCode, code);
  }
  t.deepEqual(commands, []);
  t.true(await isActive(byHand, accessToken));
});
