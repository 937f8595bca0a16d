// Writes openapi.yaml and openapi-v2.yaml from the contract; a test compares the files with the code.
import { readFile, writeFile } from "node:fs/promises";
import { format, resolveConfig } from "prettier";
import { stringify } from "yaml";
import { createOpenapiDocument } from "../src/contract/openapi-document.ts";

const root = new URL("../", import.meta.url);
const { version } = JSON.parse(await readFile(new URL("package.json", root), "utf8")) as { version: string };

for (const [shape, name] of [
  ["v3", "openapi.yaml"],
  ["v2", "openapi-v2.yaml"],
] as const) {
  const file = new URL(name, root);
  const note = `# Made from src/contract by "npm run openapi"; do not edit.\n`;
  const text =
    note + stringify(createOpenapiDocument({ shape, version }), { aliasDuplicateObjects: false, lineWidth: 120 });
  await writeFile(file, await format(text, { ...(await resolveConfig(file)), parser: "yaml" }));
}
