import type { DatabaseSync } from "node:sqlite";

/** What the SQL text of all drivers calls and SQLite does not have: `base64url(octets)`. For connections that write. */
export function defineFunctions(db: DatabaseSync): void {
  db.function("base64url", { deterministic: true, directOnly: true }, (octets) =>
    octets instanceof Uint8Array ? Buffer.from(octets).toString("base64url") : null,
  );
}
