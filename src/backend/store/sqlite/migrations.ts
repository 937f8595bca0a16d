/** Marks a file as ours in its header ("crtb"), so that no other program's database is taken for one. */
export const applicationId = 0x63727462;

/**
 * The schema's history. A migration that was released is never changed: a change is one more at the end.
 *
 * Tokens are kept in the tree of their digest itself, without a row number: one look-up finds the row.
 * Besides the primary keys there is an index an expiry, for the sweep, and one for aliases.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE service (
    service_id INTEGER PRIMARY KEY,
    version INTEGER NOT NULL,
    first_version INTEGER NOT NULL,
    present INTEGER NOT NULL CHECK (present IN (0, 1)),
    source TEXT NOT NULL,
    settings TEXT NOT NULL,
    settings_tag BLOB NOT NULL,
    attempt BLOB NOT NULL
  ) STRICT;

  CREATE TABLE client (
    service_id INTEGER NOT NULL,
    client_id INTEGER NOT NULL,
    client_id_alias TEXT,
    version INTEGER NOT NULL,
    first_version INTEGER NOT NULL,
    present INTEGER NOT NULL CHECK (present IN (0, 1)),
    source TEXT NOT NULL,
    settings TEXT NOT NULL,
    settings_tag BLOB NOT NULL,
    attempt BLOB NOT NULL,
    PRIMARY KEY (service_id, client_id),
    UNIQUE (service_id, client_id_alias)
  ) STRICT;

  CREATE TABLE token_grant (
    service_id INTEGER NOT NULL,
    grant_id TEXT NOT NULL,
    client_id INTEGER NOT NULL,
    subject TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ended_at INTEGER,
    ended_by BLOB,
    PRIMARY KEY (service_id, grant_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX token_grant_expiry ON token_grant (expires_at);

  CREATE TABLE access_token (
    digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
    service_id INTEGER NOT NULL,
    service_version INTEGER NOT NULL,
    client_id INTEGER NOT NULL,
    client_version INTEGER NOT NULL,
    grant_id TEXT,
    subject TEXT,
    grant_type TEXT NOT NULL,
    scopes TEXT NOT NULL,
    resources TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    x5t_s256 TEXT,
    client_id_alias_used INTEGER NOT NULL CHECK (client_id_alias_used IN (0, 1)),
    properties TEXT,
    attempt BLOB NOT NULL,
    ended_at INTEGER,
    ended_by BLOB
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX access_token_expiry ON access_token (expires_at);

  CREATE TABLE refresh_token (
    digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
    service_id INTEGER NOT NULL,
    service_version INTEGER NOT NULL,
    client_id INTEGER NOT NULL,
    client_version INTEGER NOT NULL,
    grant_id TEXT NOT NULL,
    scopes TEXT NOT NULL,
    resources TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX refresh_token_expiry ON refresh_token (expires_at);
  `,

  // A position is never used twice: rows are written one transaction after the other, so their order is that of the
  // commits. `attempt` tells an event from another that a restored store wrote at the same position; the epoch tells
  // one store from another. `changed_by` is the attempt that last changed a row which was there before.
  `
  CREATE TABLE invalidation_event (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    service_id INTEGER NOT NULL,
    keys TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    attempt BLOB NOT NULL,
    UNIQUE (attempt, keys)
  ) STRICT;

  CREATE TABLE store_epoch (epoch BLOB NOT NULL CHECK (length(epoch) = 16)) STRICT;
  INSERT INTO store_epoch (epoch) VALUES (randomblob(16));

  ALTER TABLE service ADD COLUMN changed_by BLOB;
  ALTER TABLE client ADD COLUMN changed_by BLOB;
  `,

  // What leads to tokens, and what rotation and management have to know of tokens. A refresh token that was used
  // stays until it expires; of each grant there is one at most that has not been consumed. `code_digest` keeps a
  // consumed code as long as its grant. The grants of before are of no grant type that was served; they had no details.
  `
  CREATE TABLE ticket (
    digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
    service_id INTEGER NOT NULL,
    service_version INTEGER NOT NULL,
    client_id INTEGER NOT NULL,
    client_version INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('authorization', 'password')),
    request TEXT NOT NULL,
    context TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    attempt BLOB NOT NULL,
    changed_by BLOB,
    consumed_at INTEGER,
    consumed_by BLOB
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX ticket_expiry ON ticket (expires_at);

  CREATE TABLE authorization_code (
    digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
    service_id INTEGER NOT NULL,
    service_version INTEGER NOT NULL,
    client_id INTEGER NOT NULL,
    client_version INTEGER NOT NULL,
    grant_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    redirect_uri TEXT,
    code_challenge TEXT,
    scopes TEXT NOT NULL,
    resources TEXT NOT NULL,
    details TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    attempt BLOB NOT NULL,
    consumed_at INTEGER,
    consumed_by BLOB
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX authorization_code_expiry ON authorization_code (expires_at) WHERE consumed_at IS NULL;

  CREATE TABLE used_assertion (
    service_id INTEGER NOT NULL,
    client_id INTEGER NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    expires_at INTEGER NOT NULL,
    attempt BLOB NOT NULL,
    PRIMARY KEY (service_id, client_id, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX used_assertion_expiry ON used_assertion (expires_at);

  ALTER TABLE token_grant ADD COLUMN grant_type TEXT NOT NULL DEFAULT 'AUTHORIZATION_CODE';
  ALTER TABLE token_grant ADD COLUMN client_id_alias_used INTEGER NOT NULL DEFAULT 0
    CHECK (client_id_alias_used IN (0, 1));
  ALTER TABLE token_grant ADD COLUMN details TEXT;
  ALTER TABLE token_grant ADD COLUMN last_refreshed_at INTEGER;
  ALTER TABLE token_grant ADD COLUMN code_digest BLOB CHECK (length(code_digest) = 32);
  CREATE INDEX token_grant_client ON token_grant (client_id, service_id) WHERE ended_at IS NULL;
  CREATE INDEX token_grant_subject ON token_grant (subject, service_id) WHERE ended_at IS NULL;
  CREATE INDEX token_grant_ended ON token_grant (ended_by) WHERE ended_by IS NOT NULL;

  ALTER TABLE access_token ADD COLUMN jwt_digest BLOB CHECK (length(jwt_digest) = 32);
  ALTER TABLE access_token ADD COLUMN updated_by BLOB;
  ALTER TABLE access_token ADD COLUMN changed_by BLOB;
  CREATE UNIQUE INDEX access_token_jwt ON access_token (jwt_digest) WHERE jwt_digest IS NOT NULL;
  CREATE INDEX access_token_client ON access_token (service_id, client_id, created_at);
  CREATE INDEX access_token_subject ON access_token (service_id, subject, created_at) WHERE subject IS NOT NULL;
  CREATE INDEX access_token_grant ON access_token (service_id, grant_id) WHERE grant_id IS NOT NULL;
  CREATE INDEX access_token_ended ON access_token (ended_by) WHERE ended_by IS NOT NULL;

  ALTER TABLE refresh_token ADD COLUMN x5t_s256 TEXT;
  ALTER TABLE refresh_token ADD COLUMN used_by BLOB;
  ALTER TABLE refresh_token ADD COLUMN changed_by BLOB;
  ALTER TABLE refresh_token ADD COLUMN consumed_at INTEGER;
  ALTER TABLE refresh_token ADD COLUMN sealed_answer BLOB;
  ALTER TABLE refresh_token ADD COLUMN successor_digest BLOB CHECK (length(successor_digest) = 32);
  CREATE UNIQUE INDEX refresh_token_grant ON refresh_token (service_id, grant_id) WHERE consumed_at IS NULL;
  `,

  // What the store knows of itself, in one row. `commits` counts transactions that wrote: a store that has fewer than
  // the mark beside it was restored. `clock` is the greatest instant acted on, in milliseconds; `clock_settled` is 1
  // when nothing was acted on after it (a clean stop). `clock_in_doubt` is the same for a time that is not believed yet,
  // 0 for none.
  `
  CREATE TABLE store_state (
    commits INTEGER NOT NULL,
    clock INTEGER NOT NULL,
    clock_settled INTEGER NOT NULL CHECK (clock_settled IN (0, 1)),
    clock_in_doubt INTEGER NOT NULL
  ) STRICT;
  INSERT INTO store_state (commits, clock, clock_settled, clock_in_doubt) VALUES (0, 0, 1, 0);
  `,

  // Revocations by number. A service counts its own; a client has the number of the last one that ended all of its
  // tokens, a subject has a row (`client_id` 0: with every client). Tokens, grants and codes have the last number that
  // concerned them when they were issued: a greater one has ended them. `expires_at` of a revocation is when the last
  // of what it ended expires. The indexes are in the order of lists; `client_revocation` and `subject_revocation` lead
  // them past what has been revoked. A column changes its name so that a process of an earlier version, which knows no
  // numbers and has the file open still, fails instead of answering for what was revoked; with the new epoch watchers
  // forget the answers that do not name their subject.
  `
  ALTER TABLE service ADD COLUMN revocations INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE service ADD COLUMN revoked_by BLOB;
  ALTER TABLE client ADD COLUMN revocation INTEGER NOT NULL DEFAULT 0;

  CREATE TABLE revocation (
    service_id INTEGER NOT NULL,
    subject TEXT NOT NULL,
    client_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (service_id, subject, client_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX revocation_expiry ON revocation (expires_at);

  ALTER TABLE authorization_code ADD COLUMN revocation INTEGER NOT NULL DEFAULT 0;

  ALTER TABLE token_grant ADD COLUMN client_revocation INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE token_grant ADD COLUMN subject_revocation INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE token_grant ADD COLUMN revocation INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE token_grant RENAME COLUMN client_id_alias_used TO by_alias;
  DROP INDEX token_grant_client;
  DROP INDEX token_grant_subject;
  DROP INDEX token_grant_ended;
  CREATE INDEX token_grant_client ON token_grant (service_id, client_id, client_revocation, ended_at)
    WHERE ended_at IS NULL;
  CREATE INDEX token_grant_subject ON token_grant (service_id, subject, subject_revocation, ended_at)
    WHERE ended_at IS NULL AND subject IS NOT NULL;

  ALTER TABLE access_token ADD COLUMN client_revocation INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE access_token ADD COLUMN subject_revocation INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE access_token ADD COLUMN revocation INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE access_token RENAME COLUMN client_id_alias_used TO by_alias;
  DROP INDEX access_token_expiry;
  DROP INDEX access_token_client;
  DROP INDEX access_token_subject;
  DROP INDEX access_token_ended;
  CREATE INDEX access_token_expiry ON access_token (service_id, expires_at, created_at, digest);
  CREATE INDEX access_token_client
    ON access_token (service_id, client_id, client_revocation, expires_at, created_at, digest)
    WHERE ended_at IS NULL;
  CREATE INDEX access_token_subject
    ON access_token (service_id, subject, subject_revocation, expires_at, created_at, digest)
    WHERE ended_at IS NULL AND subject IS NOT NULL;
  CREATE INDEX access_token_pair
    ON access_token (service_id, client_id, subject, revocation, expires_at, created_at, digest)
    WHERE ended_at IS NULL AND subject IS NOT NULL;

  UPDATE store_epoch SET epoch = randomblob(16);
  `,
];
