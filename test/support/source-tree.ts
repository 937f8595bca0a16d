import { readdir, readFile } from "node:fs/promises";
import { posix } from "node:path";
import ts from "typescript";

/** One file of a source tree, as its text says; paths are relative to the root, with forward slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  readonly imports: readonly Import[];
  /** What it takes from its surroundings: `process.env`, the clock, randomness; as written. */
  readonly ambient: readonly string[];
}

export interface Import {
  /** A file of ours (`oauth/scope.ts`), a package (`koa`, `@koa/router`), or a module of Node's (`node:crypto`). */
  readonly target: string;
  readonly kind: "ours" | "package" | "node";
  /** Gone at run time: `import type`, `export type`, a type in an annotation. */
  readonly typeOnly: boolean;
  /** `import()`: loaded when it is reached, not when the file is. */
  readonly lazy: boolean;
}

/** Reads every `.ts` file below a folder. */
export async function readSourceTree(root: URL): Promise<SourceFile[]> {
  const names = await readdir(root, { recursive: true });
  const paths = names.map((name) => name.replaceAll("\\", "/")).filter((name) => name.endsWith(".ts"));
  return Promise.all(paths.sort().map(async (path) => readSource(path, await readFile(new URL(path, root), "utf8"))));
}

/** Reads one file's text. */
export function readSource(path: string, text: string): SourceFile {
  const imports: Import[] = [];
  const ambient: string[] = [];
  const visit = (node: ts.Node): void => {
    const found = importOf(node);
    if (found !== undefined) imports.push(resolved(path, found));
    const taken = ambientOf(node);
    if (taken !== undefined) ambient.push(taken);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true));
  return { path, text, lines: text.split("\n").length - 1, imports, ambient };
}

type Found = Pick<Import, "typeOnly" | "lazy"> & { readonly specifier: string };

function importOf(node: ts.Node): Found | undefined {
  if (ts.isImportDeclaration(node)) {
    // `import { type A }` stays an import at run time (verbatimModuleSyntax); only `import type` is gone.
    const typeOnly = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
    return { specifier: textOf(node.moduleSpecifier), typeOnly, lazy: false };
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
    return { specifier: textOf(node.moduleSpecifier), typeOnly: node.isTypeOnly, lazy: false };
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return { specifier: textOf(node.argument.literal), typeOnly: true, lazy: false };
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return { specifier: textOf(node.arguments[0]), typeOnly: false, lazy: true };
  }
  return undefined;
}

/** A specifier that is computed cannot be checked, and so has no place in the sources. */
function textOf(node: ts.Node | undefined): string {
  return node !== undefined && ts.isStringLiteralLike(node) ? node.text : "(computed)";
}

function resolved(importer: string, { specifier, ...how }: Found): Import {
  if (specifier.startsWith("node:")) return { ...how, kind: "node", target: specifier };
  if (specifier.startsWith(".")) {
    return { ...how, kind: "ours", target: posix.join(posix.dirname(importer), specifier) };
  }
  const parts = specifier.split("/");
  return { ...how, kind: "package", target: parts.slice(0, specifier.startsWith("@") ? 2 : 1).join("/") };
}

const ambientMembers = new Set(
  ["process.env", "process.argv", "process.cwd", "process.hrtime", "Date.now", "performance.now", "Math.random"].concat(
    ["randomBytes", "randomUUID", "randomInt", "randomFill", "randomFillSync", "getRandomValues"].flatMap((name) =>
      ["crypto", "webcrypto", "globalThis.crypto"].map((owner) => `${owner}.${name}`),
    ),
  ),
);
const ambientNames = /^(random(Bytes|UUID|Int|Fill|FillSync)|getRandomValues|hrtime|createRequire)$/;

function ambientOf(node: ts.Node): string | undefined {
  if (ts.isPropertyAccessExpression(node)) {
    const text = written(node);
    return ambientMembers.has(text) ? text : undefined;
  }
  if (ts.isImportSpecifier(node)) {
    const { text } = node.propertyName ?? node.name;
    const fromProcess = textOf(node.parent.parent.parent.moduleSpecifier) === "node:process";
    return ambientNames.test(text) || (fromProcess && text === "env") ? text : undefined;
  }
  if (ts.isNewExpression(node) && written(node.expression) === "Date" && !node.arguments?.length) return "new Date()";
  if (ts.isCallExpression(node) && written(node.expression) === "Date") return "Date()";
  return undefined;
}

function written(node: ts.Expression): string {
  if (ts.isIdentifier(node)) return node.text;
  return ts.isPropertyAccessExpression(node) ? `${written(node.expression)}.${node.name.text}` : "";
}
