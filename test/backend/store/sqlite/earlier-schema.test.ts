import { DatabaseSync } from "node:sqlite";
import test, { type ExecutionContext } from "ava";
import type { IssueTokens } from "../../../../src/backend/store/command.ts";
import { migrate } from "../../../../src/backend/store/sqlite/migrate.ts";
import { migrations } from "../../../../src/backend/store/sqlite/migrations.ts";
import { openSqliteStore } from "../../../../src/backend/store/sqlite/open-sqlite-store.ts";
import {
  digest,
  endGrant,
  exchange,
  issueCode,
  keepTicket,
  refresh,
  revoke,
  revokeTokens,
  rotate,
} from "../commands.ts";
import { temporaryFile } from "./temporary-file.ts";

/** What a grant of the second schema had: an access and a refresh token. */
interface OldGrant {
  readonly grant: { readonly grantId: string };
  readonly accessToken: { readonly digest: Uint8Array };
  readonly refreshToken: NonNullable<IssueTokens["refreshToken"]>;
}

const oldGrant = (grantId: string): OldGrant => ({
  grant: { grantId },
  accessToken: { digest: digest() },
  refreshToken: {
    digest: digest(),
    scopes: ["read", "write"],
    resources: ["https://a.example.com"],
    expiresAt: 9_000,
    x5tS256: undefined,
  },
});

/** A file as the release with two migrations left it: service 1 with client 11, a token that stands alone, grants. */
async function fileOfSecondSchema(t: ExecutionContext, alone: Uint8Array, grants: readonly OldGrant[]) {
  const path = await temporaryFile(t);
  using db = new DatabaseSync(path);
  applyMigrations(db, 2);
  db.exec(`
    INSERT INTO service VALUES (1, 1, 1, 1, 'configuration', 'service 1', x'01', x'02', NULL);
    INSERT INTO client VALUES (1, 11, NULL, 1, 1, 1, 'configuration', 'client 11', x'01', x'02', NULL)`);
  const insertAccessToken = db.prepare(`
    INSERT INTO access_token (digest, service_id, service_version, client_id, client_version, grant_id, subject,
      grant_type, scopes, resources, created_at, expires_at, x5t_s256, client_id_alias_used, properties, attempt)
    VALUES (?, 1, 1, 11, 1, ?, ?, ?, 'read write', '[]', 1000, 5000, ?, 0, NULL, x'03')`);
  insertAccessToken.run(alone, null, null, "CLIENT_CREDENTIALS", "x".repeat(43));
  for (const { grant, accessToken, refreshToken } of grants) {
    insertAccessToken.run(accessToken.digest, grant.grantId, "user", "AUTHORIZATION_CODE", null);
    db.prepare(
      `INSERT INTO token_grant (service_id, grant_id, client_id, subject, created_at, expires_at, ended_at, ended_by)
       VALUES (1, ?, 11, 'user', 1000, 9000, ?, ?)`,
    ).run(grant.grantId, grant.grantId === "ended" ? 1500 : null, grant.grantId === "ended" ? digest() : null);
    db.prepare(
      `INSERT INTO refresh_token (digest, service_id, service_version, client_id, client_version, grant_id, scopes,
         resources, created_at, expires_at)
       VALUES (?, 1, 1, 11, 1, ?, 'read write', '["https://a.example.com"]', 1000, 9000)`,
    ).run(refreshToken.digest, grant.grantId);
  }
  return path;
}

/** An empty file as the release with three migrations left it. */
async function fileOfThirdSchema(t: ExecutionContext): Promise<string> {
  const path = await temporaryFile(t);
  using db = new DatabaseSync(path);
  applyMigrations(db, 3);
  return path;
}

function applyMigrations(db: DatabaseSync, count: number): void {
  db.exec("PRAGMA application_id = 0x63727462; CREATE TABLE migration (number INTEGER PRIMARY KEY) STRICT");
  for (const [index, ddl] of migrations.slice(0, count).entries()) {
    db.exec(`INSERT INTO migration (number) VALUES (${index + 1})`);
    db.exec(ddl);
  }
}

async function openMigrated(t: ExecutionContext) {
  const alone = digest();
  const grants = [oldGrant("standing"), oldGrant("other"), oldGrant("ended")] as const;
  const path = await fileOfSecondSchema(t, alone, grants);
  const store = await openSqliteStore({ path });
  t.teardown(() => store.close());
  return { path, store, alone, grants };
}

test("tokens and grants of the second schema stay unchanged", async (t) => {
  const { store, alone, grants } = await openMigrated(t);
  const [standing, , ended] = grants;
  t.like(await store.readAccessToken(1, alone), {
    grantId: undefined,
    subject: undefined,
    grantType: "CLIENT_CREDENTIALS",
    scopes: ["read", "write"],
    x5tS256: "x".repeat(43),
    details: undefined,
    refreshTokenExpiresAt: undefined,
  });
  t.like(await store.readAccessToken(1, standing.accessToken.digest), {
    grantId: "standing",
    subject: "user",
    details: undefined,
    refreshTokenExpiresAt: 9_000,
  });
  t.like(await store.readRefreshToken(1, standing.refreshToken.digest), {
    grantId: "standing",
    subject: "user",
    scopes: ["read", "write"],
    resources: ["https://a.example.com"],
    grantType: "AUTHORIZATION_CODE",
    clientIdAliasUsed: false,
    x5tS256: undefined,
    details: undefined,
    consumption: undefined,
  });
  t.is(await store.readAccessToken(1, ended.accessToken.digest), undefined);
  t.is(await store.readRefreshToken(1, ended.refreshToken.digest), undefined);
  const { totalCount } = await store.listAccessTokens(1, {
    clientId: 11,
    status: "all",
    now: 2_000,
    start: 0,
    end: 9,
    most: 9,
  });
  t.is(totalCount, 3);
});

test("a refresh token of the second schema is kept, rotated, and ends with its grant", async (t) => {
  const { store, grants } = await openMigrated(t);
  const [standing, other, ended] = grants;
  t.is(await store.run(refresh(standing, 9_500)), "done");
  const next = rotate(standing);
  t.is(await store.run(next), "done");
  t.like((await store.readRefreshToken(1, standing.refreshToken.digest))?.consumption, { successorUsed: false });
  t.is(await store.run(rotate(ended)), "conflict");
  t.is(await store.run(endGrant("standing")), "done");
  for (const token of [standing.accessToken, next.accessToken])
    t.is(await store.readAccessToken(1, token.digest), undefined);
  t.is(await store.readRefreshToken(1, next.refreshToken.digest), undefined);
  t.is((await store.readRefreshToken(1, other.refreshToken.digest))?.grantId, "other");
});

test("tokens of the second schema are revoked by their owner, and swept, like later ones", async (t) => {
  const { store, alone, grants } = await openMigrated(t);
  const code = issueCode(keepTicket());
  const later = exchange(code);
  const ticket = keepTicket({ digest: code.ticketDigest });
  for (const command of [ticket, code, later]) t.is(await store.run(command), "done");
  // The lone token, two grants of before and one of now, with an access and a refresh token each.
  const all = { of: { clientId: 11 }, now: 2_000, most: 100 };
  t.deepEqual(await store.countTokens(1, all), { count: 7, moreThanCounted: false });
  t.is(await store.run(revokeTokens({ clientId: 11 })), "done");
  t.deepEqual(await store.countTokens(1, all), { count: 0, moreThanCounted: false });
  const tokens = [{ digest: alone }, later.accessToken, ...grants.map(({ accessToken }) => accessToken)];
  for (const token of tokens) t.is(await store.readAccessToken(1, token.digest), undefined);
  t.is(await store.run(revoke(later)), "conflict");
  // Five access tokens, four refresh tokens, four grants, a code and a ticket.
  t.is(await store.sweep(10_000, 100), 15);
  t.is(await store.sweep(10_000, 100), 0);
});

test("a file of the second schema has every migration once, also when it is looked at again", async (t) => {
  const { path } = await openMigrated(t);
  using db = new DatabaseSync(path);
  migrate(db);
  t.deepEqual(
    db
      .prepare("SELECT number FROM migration")
      .all()
      .map(({ number }) => number),
    migrations.map((_, index) => index + 1),
  );
});

test("a process of the version before, which knows no revocations by number, fails on a migrated file", async (t) => {
  const path = await fileOfThirdSchema(t);
  using db = new DatabaseSync(path);
  const epoch = db.prepare("SELECT epoch FROM store_epoch");
  const before = epoch.get();
  const statements = [
    "SELECT t.client_id_alias_used FROM access_token t WHERE t.digest = x'00'",
    "SELECT g.client_id_alias_used FROM refresh_token r JOIN token_grant g ON g.grant_id = r.grant_id",
  ].map((sql) => db.prepare(sql));
  for (const statement of statements) t.deepEqual(statement.all(), []);
  await (await openSqliteStore({ path })).close();
  for (const statement of statements) t.throws(() => statement.all(), { message: /no such column/ });
  t.notDeepEqual(epoch.get(), before, "and whoever watches its events forgets what it has been answered");
});
