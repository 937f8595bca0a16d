// Issues tokens without end, sixteen at a time, and writes each digest only after it was acknowledged.
import { openSqliteStore } from "../../../../src/backend/store/sqlite/open-sqlite-store.ts";
import { issueTokens } from "../commands.ts";

const [path = ""] = process.argv.slice(2);
const store = await openSqliteStore({ path });

async function issue(): Promise<never> {
  for (;;) {
    const issued = issueTokens();
    if ((await store.run(issued)) !== "done") throw new Error("a token was not issued");
    const line = `${Buffer.from(issued.accessToken.digest).toString("hex")}\n`;
    await new Promise((written) => process.stdout.write(line, written));
  }
}

await Promise.all(Array.from({ length: 16 }, issue));
