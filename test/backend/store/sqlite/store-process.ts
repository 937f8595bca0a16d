// A process with the store open, as another node is: does one command a line and answers with its outcome.
import { createInterface } from "node:readline";
import type { Command } from "../../../../src/backend/store/command.ts";
import { openSqliteStore } from "../../../../src/backend/store/sqlite/open-sqlite-store.ts";
import { putConfiguration } from "../commands.ts";
import { readOctets } from "./octets.ts";

const [path = "", id = ""] = process.argv.slice(2);

try {
  const store = await openSqliteStore({ path });
  // Where an id is given, several of these start at once: each adds to a configuration of its own making.
  if (id !== "") await store.run(putConfiguration({ id: Number(id) }));
  process.stdout.write("open\n");
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${await store.run(JSON.parse(line, readOctets) as Command)}\n`);
  }
  await store.close();
} catch (error) {
  process.stdout.write(`${String(error)}\n`);
}
