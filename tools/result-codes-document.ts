import { readdir, readFile } from "node:fs/promises";
import { format, resolveConfig } from "prettier";
import { levels, type OutcomeKind } from "../src/backend/result-codes/advice.ts";
import { apiCallerSentences, httpSentences } from "../src/backend/result-codes/api-caller.ts";
import { advice, sentences } from "../src/backend/result-codes/result-codes.ts";
import { operations, streams } from "../src/contract/operations.ts";

// Builds docs/result-codes.md from the code: each result code, its sentence, where it occurs and what to do.

const src = new URL("../src/", import.meta.url);
const engine = "backend/engine/";
/** The codes of introspection are in a file that the library can read, too. */
const besides = ["contract/introspection-refusals.ts"];
const everywhere = "every operation";
/** Codes that come before an operation decides: authentication of the caller, and reading the call. */
const undecided = { ...apiCallerSentences, ...httpSentences };

type ResultCode = keyof typeof sentences;

/** The text of `docs/result-codes.md`, as prettier writes it to that file. */
export async function resultCodesDocument(file: URL): Promise<string> {
  const places = await placesOfCodes();
  const codes = (Object.keys(sentences) as ResultCode[]).sort();
  const rows = codes.map((code) => {
    const { kind, todo } = advice[code];
    const where = Object.hasOwn(undecided, code) ? everywhere : (places.get(code) ?? []).join(", ");
    return `| \`${code}\` | ${sentences[code]} | ${where} | ${levels[kind]} | ${todo.replaceAll("|", "\\|")} |`;
  });
  const kinds = (Object.keys(meanings) as OutcomeKind[]).map((kind) => `- \`${levels[kind]}\`: ${meanings[kind]}`);
  const text = `<!-- Made from src/backend/result-codes by "npm run result-codes"; do not edit. -->

# Result codes

Find out why a request was refused:

1. Look for the line in the backend's log. \`resultCode\` and \`sentence\` say what happened; [operating](operating.md#what-is-logged)
   explains the other members. An answer of the API has both in \`resultCode\` and \`resultMessage\`, the front end's
   \`onRefusal\` hands them on.
2. Look the code up below. "Level" is that of the line in the log. Text in brackets at the end of a sentence is a detail
   of that one request, OpenSSL's reason for example.

The levels:

${kinds.join("\n")}

| code | sentence | where | level | what to do |
| --- | --- | --- | --- | --- |
${rows.join("\n")}
`;
  return format(text, { ...(await resolveConfig(file)), parser: "markdown" });
}

const meanings = {
  done: "what was asked for was done;",
  ordinary: "refused, as it happens every day: a token has expired, a user declines, a form lacks a parameter;",
  refusal: "a client or a token was refused for a reason that you should see;",
  caller: "the program that calls the API is wrong;",
  fault: "the backend, or the front end, could not do its work.",
} satisfies Record<OutcomeKind, string>;

/** For each code of the engine, the operations whose decision reaches a declaration with that code. */
async function placesOfCodes(): Promise<ReadonlyMap<string, readonly string[]>> {
  const sources = await readSources();
  const engineText = sources.get(`${engine}engine.ts`)?.text ?? "";
  const places = new Map<string, string[]>();
  // A row of the table of operations: a decision by its name, or a call of one.
  const [, table = ""] = /^const operations\b[^]*? = \{$([^]*?)^\};$/m.exec(engineText) ?? [];
  for (const [, method = "", decision = ""] of table.matchAll(/^ {2}(\w+): (?:\([^)]*\) => )?(\w+)[,(]/gm)) {
    for (const code of codesReachedFrom(`${engine}engine.ts`, decision, sources)) {
      places.set(code, [...new Set([...(places.get(code) ?? []), pathOf(method)])]);
    }
  }
  return places;
}

/** A file: its declarations by name, and its imports from neighbouring files. */
interface Source {
  readonly text: string;
  readonly declarations: ReadonlyMap<string, string>;
  /** The file and the exported name, by the local name. */
  readonly imports: ReadonlyMap<string, string>;
}

async function readSources(): Promise<ReadonlyMap<string, Source>> {
  const files = await readdir(new URL(engine, src), { recursive: true });
  const ofEngine = files.filter((name) => name.endsWith(".ts")).map((name) => engine + name);
  const sources = [...ofEngine, ...besides].map(async (name) => {
    const text = await readFile(new URL(name, src), "utf8");
    return [name, { text, declarations: declarationsIn(text), imports: importsIn(name, text) }] as const;
  });
  return new Map(await Promise.all(sources));
}

function declarationsIn(text: string): ReadonlyMap<string, string> {
  const parts = text.split(/^(?=(?:export )?(?:async )?(?:function|const|class) )/m);
  return new Map(
    parts.map((part) => [/^(?:export )?(?:async )?(?:function|const|class) (\w+)/.exec(part)?.[1] ?? "", part]),
  );
}

function importsIn(name: string, text: string): ReadonlyMap<string, string> {
  const imports = new Map<string, string>();
  for (const [, members = "", relative = ""] of text.matchAll(/^import \{([^}]*)\} from "(\.[^"]+)"/gm)) {
    const file = new URL(relative, new URL(name, src)).href.slice(src.href.length);
    for (const member of members.split(",").map((each) => each.trim())) imports.set(member, file);
  }
  return imports;
}

function codesReachedFrom(file: string, name: string, sources: ReadonlyMap<string, Source>): Set<string> {
  const codes = new Set<string>();
  const seen = new Set<string>();
  const next = [[file, name] as const];
  for (let at = next.pop(); at !== undefined; at = next.pop()) {
    const [inFile, declared] = at;
    const source = sources.get(inFile);
    const from = source?.imports.get(declared);
    if (from !== undefined) next.push([from, declared]);
    const text = source?.declarations.get(declared);
    if (text === undefined || seen.has(`${inFile} ${declared}`)) continue;
    seen.add(`${inFile} ${declared}`);
    for (const [, code = ""] of text.matchAll(/\b(A\d{6})\b/g)) codes.add(code);
    for (const [word] of text.matchAll(/\b[A-Za-z]\w*/g)) next.push([inFile, word]);
  }
  return codes;
}

/** The path of an operation as in the guides: `auth/token`. */
function pathOf(method: string): string {
  const { path } = { ...operations, ...streams }[method as keyof typeof operations];
  return `\`${path.slice(1).replace(/\/\{.*/, "")}\``;
}
