// Holds the file's write lock until its standard input ends.
import { DatabaseSync } from "node:sqlite";

const [path = ""] = process.argv.slice(2);
const db = new DatabaseSync(path);
db.exec("BEGIN IMMEDIATE");
process.stdout.write("locked\n");
process.stdin.resume().on("end", () => {
  db.exec("ROLLBACK");
  process.stdout.write("released\n");
});
