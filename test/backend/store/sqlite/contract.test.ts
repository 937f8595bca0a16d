import { DatabaseSync } from "node:sqlite";
import test from "ava";
import { openSqliteStore } from "../../../../src/backend/store/sqlite/open-sqlite-store.ts";
import { eventContract } from "../event-contract.ts";
import { storeContract, type OpenStore } from "../store-contract.ts";
import { temporaryFile } from "./temporary-file.ts";

const openFile: OpenStore = async (t) => {
  const path = await temporaryFile(t);
  const store = await openSqliteStore({ path });
  t.teardown(() => store.close());
  const execute = (sql: string): void => {
    using db = new DatabaseSync(path);
    db.exec(sql);
  };
  return { store, execute };
};

const openInMemory: OpenStore = async (t) => {
  const store = await openSqliteStore({ path: ":memory:" });
  t.teardown(() => store.close());
  return { store };
};

storeContract(test, "SQLite file", openFile, true);
storeContract(test, "SQLite in memory", openInMemory, false);
eventContract(test, "SQLite file", openFile);
eventContract(test, "SQLite in memory", openInMemory);
