import { LineCounter, parseDocument, visit, type Document, type YAMLError } from "yaml";
import type { Problem } from "./configuration-error.ts";

/** A few anchors save typing; a file that multiplies itself through them is an attack or an accident. */
const mostAliases = 100;

export type YamlReading = { readonly value: unknown } | { readonly problems: readonly Problem[] };

/**
 * Reads one YAML 1.2 document (core schema): no repeated member, no custom tags, only texts as member names.
 *
 * Problems name the line and the column; the parser's messages are left out, because they quote the text.
 *
 * @example readYaml("listen: { port: 0 }") // { value: { listen: { port: 0 } } }
 */
export function readYaml(text: string): YamlReading {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    version: "1.2",
    schema: "core",
    merge: false,
    resolveKnownTags: false,
    strict: true,
    stringKeys: true,
    uniqueKeys: true,
    prettyErrors: false,
    logLevel: "error",
    lineCounter: lines,
  });
  const errors: readonly YAMLError[] = [...document.errors, ...document.warnings];
  if (errors.length > 0) return { problems: errors.map((error) => problemOf(error, lines)) };
  try {
    return { value: document.toJS({ maxAliasCount: mostAliases }) };
  } catch (error) {
    if (error instanceof ReferenceError) return { problems: problemsOfAliases(document, lines) };
    throw error;
  }
}

/** Aliases without an anchor; if each has one, there are too many of them. */
function problemsOfAliases(document: Document, lines: LineCounter): readonly Problem[] {
  const problems: Problem[] = [];
  visit(document, {
    Alias(_key, alias) {
      if (alias.resolve(document) !== undefined) return;
      const path = placeOf(alias.range?.[0] ?? 0, lines);
      problems.push({ path, sentence: "an alias (*name) has no anchor (&name) before it" });
    },
  });
  if (problems.length > 0) return problems;
  return [{ path: "", sentence: `aliases (*name) multiply beyond ${mostAliases}; write the values out` }];
}

/** In the file author's words; the parser's messages quote the text, and its codes mean nothing to them. */
const sentences = {
  ALIAS_PROPS: "an alias (*name) has an anchor or a tag of its own; it can have neither",
  BAD_ALIAS: "an alias (*name) has no name, or one that ends with a colon",
  BAD_COLLECTION_TYPE: "a tag (!name) says another kind of value than the one that follows",
  BAD_DIRECTIVE: "a line that begins with % is not understood; put quotes around a value that begins with it",
  BAD_DQ_ESCAPE: "a backslash in \"…\" is not followed by an escape of YAML; write \\\\ for one, or use '…'",
  BAD_INDENT: "the indentation is wrong, or a bracket is not closed",
  BAD_PROP_ORDER: "an anchor (&name) or a tag (!name) stands before the sign that it should follow (-, ? or :)",
  BAD_SCALAR_START: "a value begins with a character that YAML keeps for itself (@, `, %, |, >); put it in quotes",
  BLOCK_AS_IMPLICIT_KEY: "a value has a colon and a blank in it; put it in quotes, or begin a new line",
  BLOCK_IN_FLOW: "a list with - or a text with | or > stands within brackets; write it without the brackets",
  DUPLICATE_KEY: "a member is given twice",
  IMPOSSIBLE: "this is not YAML",
  KEY_OVER_1024_CHARS: "a member's name is longer than 1024 characters; a colon may be missing",
  MISSING_CHAR: "something is not closed, a quote or a bracket perhaps",
  MULTILINE_IMPLICIT_KEY: "a member's name goes on over the end of the line; a colon may be missing",
  MULTIPLE_ANCHORS: "a value has two anchors (&name)",
  MULTIPLE_DOCS: "a second document begins; the file must hold one",
  MULTIPLE_TAGS: "a value has two tags (!name)",
  NON_STRING_KEY: "a member's name is not a text",
  RESOURCE_EXHAUSTION: "brackets or lists are nested too deeply",
  TAB_AS_INDENT: "a tab indents the line; YAML wants spaces",
  TAG_RESOLVE_FAILED: "a tag (!name) is not understood",
  UNEXPECTED_TOKEN: "something stands where YAML expects nothing: text after a value, or a bracket or comma too many",
} satisfies Record<YAMLError["code"], string>;

function problemOf({ code, pos }: YAMLError, lines: LineCounter): Problem {
  return { path: placeOf(pos[0], lines), sentence: sentences[code] };
}

function placeOf(offset: number, lines: LineCounter): string {
  const { line, col } = lines.linePos(offset);
  return `line ${line}, column ${col}:`;
}
