import { LineCounter, parseDocument, type YAMLError } from "yaml";
import type { Problem } from "./configuration-error.ts";

/** A few anchors save typing; a file that multiplies itself through them is an attack or an accident. */
const mostAliases = 100;

export type YamlReading = { readonly value: unknown } | { readonly problems: readonly Problem[] };

/**
 * Reads one YAML 1.2 document (core schema): no member twice, no tags of its own, only texts as member names.
 *
 * Problems say the line and the column; the parser's own words are left out, since they quote the text.
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
    if (error instanceof ReferenceError) return { problems: [{ path: "", sentence: aliasSentence }] };
    throw error;
  }
}

const aliasSentence = `an alias (*name) has no anchor (&name) before it, or aliases multiply beyond ${mostAliases}`;

const sentences: Partial<Record<YAMLError["code"], string>> = {
  DUPLICATE_KEY: "a member is given twice",
  MULTIPLE_DOCS: "a second document begins; the file must hold one",
  NON_STRING_KEY: "a member's name is not a text",
  TAB_AS_INDENT: "a tab indents the line; YAML wants spaces",
  TAG_RESOLVE_FAILED: "a tag (!name) is not understood",
  MISSING_CHAR: "something is not closed, a quote or a bracket perhaps",
  BAD_INDENT: "the indentation is wrong, or a bracket is not closed",
};

function problemOf({ code, pos }: YAMLError, lines: LineCounter): Problem {
  const { line, col } = lines.linePos(pos[0]);
  return { path: `line ${line}, column ${col}:`, sentence: sentences[code] ?? `this is not YAML (${code})` };
}
