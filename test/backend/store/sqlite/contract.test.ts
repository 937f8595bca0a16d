import { DatabaseSync } from "node:sqlite";
import test from "ava";
import { openSqliteStore } from "../../../../src/backend/store/sqlite/open-sqlite-store.ts";
import { storeContract } from "../store-contract.ts";
import { temporaryFile } from "./temporary-file.ts";

storeContract(
  test,
  "SQLite file",
  async (t) => {
    const path = await temporaryFile(t);
    const store = await openSqliteStore({ path });
    t.teardown(() => store.close());
    const execute = (sql: string): void => {
      using db = new DatabaseSync(path);
      db.exec(sql);
    };
    return { store, execute };
  },
  true,
);

storeContract(
  test,
  "SQLite in memory",
  async (t) => {
    const store = await openSqliteStore({ path: ":memory:" });
    t.teardown(() => store.close());
    return { store };
  },
  false,
);
