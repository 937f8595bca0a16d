import { createHash, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import test from "ava";
import { openSqliteStore } from "../../../../src/backend/store/sqlite/open-sqlite-store.ts";
import { tokenDigest } from "../../../../src/oauth/token-digest.ts";
import { exchange, issueCode, keepTicket, rotate, twoServices, updateTicket, useAssertion } from "../commands.ts";
import { temporaryFile } from "./temporary-file.ts";

const draw = () => randomBytes(32).toString("base64url");

test("6749-10.3 6749-10.4: the database, its log and a dump hold no token, code or ticket that could be used", async (t) => {
  const path = await temporaryFile(t);
  const store = await openSqliteStore({ path });
  t.teardown(() => store.close());
  const raw = {
    ticket: draw(),
    code: draw(),
    accessToken: draw(),
    jwt: `${draw()}.${draw()}.${draw()}`,
    refreshToken: draw(),
    successor: draw(),
    jti: draw(),
  };
  const keep = keepTicket({ digest: tokenDigest(raw.ticket) });
  const code = issueCode(keep, { digest: tokenDigest(raw.code) });
  const tokens = exchange(code, {
    accessToken: { digest: tokenDigest(raw.accessToken), jwtDigest: tokenDigest(raw.jwt) },
  });
  const family = { ...tokens, refreshToken: { ...tokens.refreshToken, digest: tokenDigest(raw.refreshToken) } };
  const rotation = rotate(family);
  const commands = [
    twoServices(),
    keep,
    updateTicket(keep),
    code,
    family,
    { ...rotation, refreshToken: { ...rotation.refreshToken, digest: tokenDigest(raw.successor) } },
    useAssertion({ digest: tokenDigest(raw.jti) }),
  ];
  for (const command of commands) t.is(await store.run(command), "done");

  const files = await Promise.all([path, `${path}-wal`].map((file) => readFile(file)));
  t.true((files[1]?.length ?? 0) > 0, "the log has not been taken back into the file yet");
  using db = new DatabaseSync(path, { readOnly: true });
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  const rows = tables.flatMap(({ name }) => db.prepare(`SELECT * FROM ${String(name)}`).all());
  const cells = rows.flatMap((row) =>
    Object.values(row).map((cell) => (cell instanceof Uint8Array ? cell : String(cell))),
  );
  const dumped = Buffer.concat(cells.map((cell) => Buffer.from(cell)));
  t.true(dumped.includes(tokenDigest(raw.accessToken)), "a dump that would find the token itself");
  for (const [name, text] of Object.entries(raw)) {
    for (const form of [Buffer.from(text), ...text.split(".").map((part) => Buffer.from(part, "base64url"))]) {
      for (const place of [...files, dumped]) t.false(place.includes(form), name);
    }
    t.true(dumped.includes(createHash("sha256").update(text).digest()), `${name} is known by its digest`);
  }
  // No digest opens anything: what is looked up is the digest of what is presented.
  for (const digest of [family.accessToken.digest, family.refreshToken.digest, code.code.digest, keep.ticket.digest]) {
    const presented = tokenDigest(Buffer.from(digest).toString("base64url"));
    t.is(await store.readAccessToken(1, presented), undefined);
    t.is(await store.readRefreshToken(1, presented), undefined);
    t.is(await store.readCode(1, presented), undefined);
    t.is(await store.readTicket(1, presented), undefined);
  }
});
