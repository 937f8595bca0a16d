import { randomBytes } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import test, { type ExecutionContext } from "ava";
import type { ServiceOperations } from "../../../../src/backend/engine/engine.ts";
import type { ClientSettings, ServiceSettings } from "../../../../src/backend/engine/settings/settings.ts";
import { DecisionContended, runDecided } from "../../../../src/backend/engine/answer/run-decided.ts";
import type { Command } from "../../../../src/backend/store/command.ts";
import { StoreFailure, type CommandOutcome, type Store } from "../../../../src/backend/store/store.ts";
import { tokenDigest } from "../../../../src/oauth/token-digest.ts";
import { createSelfSigned } from "../../../support/certificates.ts";
import { createEngineByHand } from "../../../support/engine.ts";
import { openFailingStore, type StatementFaults } from "../../../support/failing-database.ts";
import { clientSettings, secretOf, serviceId, serviceSettings } from "../../../support/settings.ts";

const command = (): Command => ({
  name: "end-grant",
  attempt: randomBytes(16),
  serviceId,
  grantId: "grant",
  endedAt: 1,
});

const clientCredentials = { parameters: "grant_type=client_credentials", clientId: "1", clientSecret: secretOf(1) };

/** How many statements it takes to issue a token: COMMIT is the last of them. */
async function statementsOfIssue(faults: StatementFaults, operations: ServiceOperations): Promise<number> {
  faults.heal();
  await operations.authToken(clientCredentials);
  return faults.executed.length;
}

/** Decisions 1, 2, 3, … over a store that answers each command in turn. */
async function decideOver(t: ExecutionContext, answers: readonly (CommandOutcome | Error)[]) {
  const commands: Command[] = [];
  let decisions = 0;
  const run: Store["run"] = (wanted) => {
    const answer = answers[commands.push(wanted) - 1] ?? new Error("The store was asked too often.");
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  const { dependencies } = await createEngineByHand(t, [], { around: () => ({ run }) });
  return {
    commands,
    decisions: () => decisions,
    outcome: runDecided(dependencies, () => Promise.resolve({ outcome: ++decisions, command: command() })),
  };
}

test("a decision that conflicts twice is taken a third time, and the third outcome is the one given", async (t) => {
  const { outcome, commands, decisions } = await decideOver(t, ["conflict", "conflict", "done"]);
  t.is(await outcome, 3);
  t.is(decisions(), 3);
  t.is(new Set(commands).size, 3);
});

test("a decision that is carried out is not taken again", async (t) => {
  const { outcome, decisions } = await decideOver(t, ["done"]);
  t.is(await outcome, 1);
  t.is(decisions(), 1);
});

test("a decision that conflicts each time is given up after exactly three", async (t) => {
  const { outcome, commands, decisions } = await decideOver(t, ["conflict", "conflict", "conflict", "done"]);
  await t.throwsAsync(outcome, { instanceOf: DecisionContended });
  t.is(decisions(), 3);
  t.is(commands.length, 3);
});

test("a conflict after another process did the same returns the first outcome", async (t) => {
  const commands: Command[] = [];
  const run: Store["run"] = (wanted) => Promise.resolve(commands.push(wanted) > 0 ? "conflict" : "done");
  const { dependencies } = await createEngineByHand(t, [], { around: () => ({ run }) });
  const decide = () => Promise.resolve({ outcome: "ended", command: command(), settledByConflict: true } as const);
  t.is(await runDecided(dependencies, decide), "ended");
  t.is(commands.length, 1);
});

const failure = new StoreFailure("the disk is full");

test("a command that the store failed to acknowledge is run once more, under the same attempt", async (t) => {
  const { outcome, commands, decisions } = await decideOver(t, [failure, "done"]);
  t.is(await outcome, 1);
  t.is(decisions(), 1);
  t.is(commands.length, 2);
  t.is(commands[0], commands[1]);
});

test("a conflict of the second run is a conflict: it is decided again", async (t) => {
  const { outcome, commands, decisions } = await decideOver(t, [failure, "conflict", failure, "done"]);
  t.is(await outcome, 2);
  t.is(decisions(), 2);
  t.is(new Set(commands).size, 2);
});

test("a store that fails twice running ends it: no third run, no second decision, no outcome", async (t) => {
  const second = new StoreFailure("the disk is still full");
  const { outcome, commands, decisions } = await decideOver(t, ["conflict", failure, second, "done"]);
  t.is(await t.throwsAsync(outcome), second);
  t.is(decisions(), 2);
  t.is(commands.length, 3);
});

for (const [kind, kept] of [
  ["after", "kept, but its answer lost"],
  ["before", "not kept"],
] as const) {
  test(`a token whose commit failed once (${kept}) is still issued, and only once`, async (t) => {
    const { store, faults, path } = await openFailingStore(t);
    const { operations, dependencies } = await createEngineByHand(t, configurationOf({ client: unboundClient }), {
      store,
    });
    faults.failAt(await statementsOfIssue(faults, operations()), kind);
    const answer = await operations().authToken(clientCredentials);
    t.is(answer.resultCode, "A052001");
    t.is(faults.executed.filter(({ failed }) => failed).length, 1);
    t.truthy(await dependencies.store.readAccessToken(serviceId, tokenDigest(answer.accessToken ?? "")));
    using db = new DatabaseSync(path, { timeout: 5_000 });
    t.is(db.prepare("SELECT count(*) AS n FROM access_token").get()?.["n"], 2, "this one and the one before");
  });
}

test("a token whose commit fails twice is not acknowledged", async (t) => {
  const { store, faults, path } = await openFailingStore(t);
  const { operations } = await createEngineByHand(t, configurationOf({ client: unboundClient }), { store });
  const statements = await statementsOfIssue(faults, operations());
  faults.failAt(statements, "before", 1_000);
  await t.throwsAsync(operations().authToken(clientCredentials), { instanceOf: StoreFailure });
  faults.heal();
  using db = new DatabaseSync(path, { timeout: 5_000 });
  t.is(db.prepare("SELECT count(*) AS n FROM access_token").get()?.["n"], 1, "the one before");
  t.is((await operations().authToken(clientCredentials)).resultCode, "A052001");
});

test("a decision without a command needs no store", async (t) => {
  const { dependencies } = await createEngineByHand(t, [], {
    around: () => ({ run: () => Promise.reject(new Error("Nothing should be written.")) }),
  });
  t.is(await runDecided(dependencies, () => Promise.resolve({ outcome: "refused" })), "refused");
});

const k1 = createSelfSigned({ subject: "CN=client-1" });
const unboundClient: Partial<ClientSettings> = { tlsClientCertificateBoundAccessTokens: false };
const limited = (requestableScopes: string[]) => ({ ...unboundClient, extension: { requestableScopes } });
const supportedScopes = [{ name: "read" }, { name: "write" }];

interface Settings {
  readonly service?: Partial<ServiceSettings>;
  /** `null`: the service has no client. */
  readonly client?: Partial<ClientSettings> | null;
}

const configurationOf = ({ service = {}, client = {} }: Settings) => [
  {
    settings: serviceSettings({ supportedScopes, ...service }),
    clients: client === null ? [] : [clientSettings({ clientId: 1, ...client })],
  },
];

/** An engine whose settings change between a decision and its write, as often as there are changes. */
async function changeBeforeWrite(t: ExecutionContext, before: Settings, ...changes: readonly Settings[]) {
  const issued: { command: Extract<Command, { name: "issue-tokens" }>; outcome: CommandOutcome }[] = [];
  let configure: (settings: Settings) => Promise<void> = () => Promise.resolve();
  const byHand = await createEngineByHand(t, configurationOf(before), {
    around: (store) => ({
      run: async (wanted) => {
        const change = changes[issued.length];
        if (change !== undefined) await configure(change);
        const outcome = await store.run(wanted);
        if (wanted.name === "issue-tokens") issued.push({ command: wanted, outcome });
        return outcome;
      },
    }),
  });
  configure = (settings) => byHand.configure(configurationOf(settings));
  const operations = byHand.operations();
  const isKept = async (digest: Uint8Array) => (await byHand.store.readAccessToken(serviceId, digest)) !== undefined;
  return {
    ...byHand,
    issued,
    isKept,
    issue: (clientCertificate?: string) =>
      operations.authToken({
        parameters: "grant_type=client_credentials&scope=read+write",
        clientId: "1",
        clientSecret: secretOf(1),
        clientCertificate,
      }),
  };
}

const changes: readonly [what: string, before: Settings, after: Settings, code: string, error: string][] = [
  [
    "the client is locked",
    { client: unboundClient },
    { client: { ...unboundClient, locked: true } },
    "A048307",
    "invalid_client",
  ],
  ["the client is deleted", { client: unboundClient }, { client: null }, "A244306", "invalid_client"],
  [
    "the client's secret is changed",
    { client: unboundClient },
    { client: { ...unboundClient, clientSecret: "another-secret" } },
    "A157305",
    "invalid_client",
  ],
  [
    "the client's method is changed",
    { client: unboundClient },
    { client: { ...unboundClient, tokenAuthMethod: "CLIENT_SECRET_POST" } },
    "A157357",
    "invalid_client",
  ],
  ["the client's tokens become bound", { client: unboundClient }, { client: {} }, "A244308", "invalid_request"],
  [
    "the service's tokens become bound",
    { service: { tlsClientCertificateBoundAccessTokens: false } },
    {},
    "A244308",
    "invalid_request",
  ],
  [
    "the client loses the grant type",
    { client: unboundClient },
    { client: { ...unboundClient, grantTypes: [] } },
    "A047302",
    "unauthorized_client",
  ],
  [
    "the service loses the scopes",
    { client: unboundClient },
    { service: { supportedScopes: [] }, client: unboundClient },
    "A052303",
    "invalid_scope",
  ],
];

for (const [what, before, after, code, error] of changes) {
  test(`between decision and write ${what}: the second decision is ${code}, no token`, async (t) => {
    const { issue, issued, isKept } = await changeBeforeWrite(t, before, after);
    const answer = await issue();
    t.is(answer.resultCode, code);
    t.is((JSON.parse(answer.responseContent ?? "") as { error: string }).error, error);
    t.is(answer.accessToken, undefined);
    t.deepEqual(
      issued.map(({ outcome }) => outcome),
      ["conflict"],
    );
    for (const { command } of issued) t.false(await isKept(command.accessToken.digest));
  });
}

test("between decision and write the service is deleted: no token is kept or acknowledged", async (t) => {
  const issued: Uint8Array[] = [];
  let remove: () => Promise<void> = () => Promise.resolve();
  const byHand = await createEngineByHand(t, configurationOf({ client: unboundClient }), {
    around: (store) => ({
      run: async (wanted) => {
        if (wanted.name === "issue-tokens") issued.push(wanted.accessToken.digest);
        await remove();
        return store.run(wanted);
      },
    }),
  });
  const operations = byHand.operations();
  remove = () => byHand.configure([]);
  const answer = await operations.authToken({
    parameters: "grant_type=client_credentials",
    clientId: "1",
    clientSecret: secretOf(1),
  });
  t.is(answer.action, "INTERNAL_SERVER_ERROR");
  t.is(answer.resultCode, "A003201");
  t.is(answer.accessToken, undefined);
  t.is(issued.length, 1);
  t.is(await byHand.store.readAccessToken(serviceId, issued[0] ?? new Uint8Array(32)), undefined);
});

test("binding that is switched on in between binds the token of the second decision", async (t) => {
  const { issue, issued, isKept, operations } = await changeBeforeWrite(t, { client: unboundClient }, { client: {} });
  const { accessToken = "", resultCode } = await issue(k1.pem);
  t.is(resultCode, "A052001");
  t.deepEqual(
    issued.map(({ command, outcome }) => [command.accessToken.x5tS256, outcome]),
    [
      [undefined, "conflict"],
      [k1.x5tS256, "done"],
    ],
  );
  const [first, second] = issued;
  t.notDeepEqual(first?.command.attempt, second?.command.attempt);
  t.deepEqual(second?.command.accessToken.digest, tokenDigest(accessToken));
  t.false(await isKept(first?.command.accessToken.digest ?? new Uint8Array(32)));
  const { authIntrospection } = operations();
  t.is((await authIntrospection({ token: accessToken })).resultCode, "A065304");
  t.is((await authIntrospection({ token: accessToken, clientCertificate: k1.pem })).resultCode, "A056001");
});

test("settings that change before every write: the third decision is kept as it was acknowledged", async (t) => {
  const { issue, issued, isKept } = await changeBeforeWrite(
    t,
    { client: unboundClient },
    { client: limited(["read"]) },
    { client: limited(["write"]) },
  );
  const { accessToken = "", scopes } = await issue();
  t.deepEqual(scopes, ["write"]);
  t.deepEqual(
    issued.map(({ command, outcome }) => [command.accessToken.scopes, outcome]),
    [
      [["read", "write"], "conflict"],
      [["read"], "conflict"],
      [["write"], "done"],
    ],
  );
  t.true(await isKept(tokenDigest(accessToken)));
});

test("settings that change every time give no token: the third conflict is the last", async (t) => {
  const { issue, issued, isKept } = await changeBeforeWrite(
    t,
    { client: unboundClient },
    { client: limited(["read"]) },
    { client: limited(["write"]) },
    { client: unboundClient },
  );
  await t.throwsAsync(issue(), { instanceOf: DecisionContended });
  t.is(issued.length, 3);
  for (const { command } of issued) t.false(await isKept(command.accessToken.digest));
});

test("a token that the store could not keep is not acknowledged", async (t) => {
  const { operations } = await createEngineByHand(t, configurationOf({ client: unboundClient }), {
    around: () => ({ run: () => Promise.reject(new StoreFailure("the disk is full")) }),
  });
  const { authToken } = operations();
  const asked = authToken({
    parameters: "grant_type=client_credentials",
    clientId: "1",
    clientSecret: secretOf(1),
  });
  await t.throwsAsync(asked, { instanceOf: StoreFailure });
});
