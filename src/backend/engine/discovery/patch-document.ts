import type { Operation } from "rfc6902";
import { deepestNesting, isNestedWithin } from "../../../oauth/json-object.ts";
import { CallRefused } from "../answer/result.ts";

type Document = Readonly<Record<string, unknown>>;

const mostOperations = 100;
/** Each operation may copy all there is, so that the size doubles each time: it is looked at after each. */
const largestDocument = 262_144;

const verbs: ReadonlySet<unknown> = new Set(["add", "remove", "replace", "move", "copy", "test"]);

/**
 * Applies a JSON Patch to a document of JSON values and returns the result; all of it or nothing (RFC 6902 §5).
 *
 * Throws {@link CallRefused} 400: `A221201` for an invalid patch, `A221202` for one that cannot be applied (the whole
 * document cannot be replaced), `A221203` when the result is too large.
 *
 * @example await patchDocument({ a: 1 }, '[{"op":"remove","path":"/a"}]') // {}
 */
export async function patchDocument(document: Document, patch: string): Promise<Document> {
  const operations = readPatch(patch);
  // Most services have no patch.
  const { applyPatch } = await import("rfc6902");
  const patched = structuredClone(document);
  for (const operation of operations) {
    if (!leadsInside(patched, operation)) throw new CallRefused(400, "A221202");
    if (applyPatch(patched, [operation])[0] !== null) throw new CallRefused(400, "A221202");
    if (!isNestedWithin(deepestNesting, patched)) throw new CallRefused(400, "A221203");
    if (JSON.stringify(patched).length > largestDocument) throw new CallRefused(400, "A221203");
  }
  return patched;
}

function readPatch(text: string): readonly Operation[] {
  const patch = parse(text);
  // Applying an operation walks through its value.
  if (!isNestedWithin(deepestNesting, patch)) throw new CallRefused(400, "A221203");
  if (!Array.isArray(patch) || patch.length > mostOperations || !patch.every(isOperation)) {
    throw new CallRefused(400, "A221201");
  }
  return patch;
}

/** Not passed on as the cause: the parser's message quotes the text. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** RFC 6902 §4. */
function isOperation(value: unknown): value is Operation {
  if (typeof value !== "object" || value === null) return false;
  const { op, path, from } = value as Record<string, unknown>;
  if (!verbs.has(op) || !isPointer(path)) return false;
  if (op === "move" || op === "copy") return isPointer(from) && !(op === "move" && path.startsWith(`${from}/`));
  return op === "remove" || Object.hasOwn(value, "value");
}

/** RFC 6901 §3. */
function isPointer(value: unknown): value is string {
  return typeof value === "string" && /^(?:\/(?:[^~/]|~[01])*)*$/.test(value);
}

/** `-`, the position after the last element of an array, can be added to but not read (RFC 6901 §4). */
function leadsInside(document: unknown, operation: Operation): boolean {
  if ("from" in operation && !staysInside(document, operation.from, elements)) return false;
  const puts = operation.op === "add" || operation.op === "move" || operation.op === "copy";
  return staysInside(document, operation.path, puts ? elementsAndEnd : elements);
}

const elements = /^(?:0|[1-9][0-9]{0,5})$/;
const elementsAndEnd = /^(?:0|[1-9][0-9]{0,5}|-)$/;

/**
 * Whether a pointer uses only the document's own members: inherited members must not be changed, and the `length` of an
 * array is no element.
 */
function staysInside(document: unknown, pointer: string, places: RegExp): boolean {
  let place = document;
  const tokens = pointer.split("/").slice(1);
  return tokens.every((escaped, index) => {
    const token = escaped.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof place !== "object" || place === null) return false;
    if (Array.isArray(place) && !places.test(token)) return false;
    const isOwn = Object.hasOwn(place, token);
    const isLast = index === tokens.length - 1;
    const inside = isOwn || (isLast && !(token in place));
    place = isOwn ? (place as Record<string, unknown>)[token] : undefined;
    return inside;
  });
}
