// Writes docs/result-codes.md from the code; a test compares them.
import { writeFile } from "node:fs/promises";
import { resultCodesDocument } from "./result-codes-document.ts";

const file = new URL("../docs/result-codes.md", import.meta.url);
await writeFile(file, await resultCodesDocument(file));
