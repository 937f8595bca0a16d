import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import ts from "typescript";

const root = new URL("../", import.meta.url);

for (const [document, programs] of [
  ["README.md", 2],
  ["docs/frameworks.md", 6],
  ["docs/authorization-server.md", 3],
] as const) {
  test(`every program in ${document} compiles as it is printed`, async (t) => {
    const text = await readFile(new URL(document, root), "utf8");
    const blocks = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, block = ""]) => block);
    t.is(blocks.length, programs);
    // In the checkout, where the package's own name and the frameworks are found.
    const folder = await mkdtemp(fileURLToPath(new URL("test/documents-", root)));
    t.teardown(() => rm(folder, { recursive: true }));
    const files = blocks.map((_, at) => join(folder, `block-${at}.ts`));
    await Promise.all(files.map((file, at) => writeFile(file, `${blocks[at] ?? ""}\nexport {};\n`)));
    const read = ts.readConfigFile(fileURLToPath(new URL("tsconfig.json", root)), (path) => ts.sys.readFile(path));
    const config: unknown = read.config;
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, fileURLToPath(root));
    const diagnostics = ts.getPreEmitDiagnostics(ts.createProgram(files, options));
    const ours = diagnostics.filter(({ file }) => file?.fileName.startsWith(folder));
    t.deepEqual(
      ours.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n")),
      [],
    );
  });
}
