import { DatabaseSync } from "node:sqlite";
import { migrations } from "../../src/backend/store/sqlite/migrations.ts";
import { tagOf } from "../backend/store/commands.ts";

/** Migrations before the one that this file is about: what a store of an earlier version has. */
const earlier = 3;

/** What is kept, of client 11 of service 1: all issued at 1000, each expiring a millisecond after the one before. */
export interface ManyTokens {
  /** Access tokens of grants of the user "many", each with a refresh token. */
  readonly ofSubject: number;
  /** Access tokens that stand alone. */
  readonly alone: number;
}

/** Writes a store as an earlier version has left it, with so many tokens in it, and little else. */
export function writeEarlierStore(path: string, { ofSubject, alone }: ManyTokens): void {
  using db = new DatabaseSync(path);
  db.exec(`
    PRAGMA application_id = 0x63727462;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -400000;
    CREATE TABLE migration (number INTEGER PRIMARY KEY) STRICT`);
  for (const [index, ddl] of migrations.slice(0, earlier).entries()) {
    db.exec(`INSERT INTO migration (number) VALUES (${index + 1})`);
    db.exec(ddl);
  }
  db.exec(`
    INSERT INTO service VALUES (1, 1, 1, 1, 'configuration', 'service 1', ${tag("service 1")}, x'02', NULL);
    INSERT INTO client VALUES (1, 11, NULL, 1, 1, 1, 'configuration', 'client 11', ${tag("client 11")}, x'02', NULL);
    INSERT INTO client VALUES (1, 12, NULL, 1, 1, 1, 'configuration', 'client 12', ${tag("client 12")}, x'02', NULL);
    BEGIN;
    ${insert(alone, "NULL", "NULL", "CLIENT_CREDENTIALS")};
    ${insert(ofSubject, "'grant-' || n", "'many'", "AUTHORIZATION_CODE")};
    INSERT INTO token_grant (service_id, grant_id, client_id, subject, created_at, expires_at)
      SELECT service_id, grant_id, client_id, subject, created_at, expires_at FROM access_token
      WHERE grant_id IS NOT NULL ORDER BY service_id, grant_id;
    INSERT INTO refresh_token (digest, service_id, service_version, client_id, client_version, grant_id, scopes,
        resources, created_at, expires_at)
      SELECT randomblob(32) AS digest, service_id, 1, client_id, 1, grant_id, '', '[]', created_at, expires_at
      FROM token_grant ORDER BY digest;
    COMMIT`);
}

/** As the configuration of the tests' commands has it. */
const tag = (settings: string): string => `x'${Buffer.from(tagOf(settings)).toString("hex")}'`;

/** In the order of their digests, so that the tree grows at its end. */
const insert = (count: number, grantId: string, subject: string, grantType: string): string => `
  INSERT INTO access_token (digest, service_id, service_version, client_id, client_version, grant_id, subject,
    grant_type, scopes, resources, created_at, expires_at, client_id_alias_used, attempt)
  WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ${count})
  SELECT randomblob(32) AS digest, 1, 1, 11, 1, ${grantId}, ${subject}, '${grantType}', 'read', '[]', 1000,
    1000000 + n, 0, x'03'
  FROM number WHERE ${count} > 0 ORDER BY digest`;
