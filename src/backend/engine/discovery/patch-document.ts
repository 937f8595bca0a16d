import type { Operation } from "rfc6902";
import { CallRefused } from "../call-refused.ts";

type Document = Readonly<Record<string, unknown>>;

const mostOperations = 100;
/** Each operation may copy all there is, so that the size doubles each time: it is looked at after each. */
const largestDocument = 262_144;

const verbs: ReadonlySet<unknown> = new Set(["add", "remove", "replace", "move", "copy", "test"]);

/**
 * Applies a JSON Patch to a document of JSON values and answers the result; all of it or nothing (RFC 6902 §5).
 *
 * Throws {@link CallRefused} 400: `A221201` for what is no patch, `A221202` for one that cannot be applied (the document
 * as a whole cannot be replaced), `A221203` for one that makes too much of it.
 *
 * @example await patchDocument({ a: 1 }, '[{"op":"remove","path":"/a"}]') // {}
 */
export async function patchDocument(document: Document, patch: string): Promise<Document> {
  const operations = readPatch(patch);
  // Most services have none.
  const { applyPatch } = await import("rfc6902");
  const patched = structuredClone(document);
  for (const operation of operations) {
    const pointers = [operation.path, ...("from" in operation ? [operation.from] : [])];
    if (!pointers.every((pointer) => staysInside(patched, pointer))) throw new CallRefused(400, "A221202");
    if (applyPatch(patched, [operation])[0] !== null) throw new CallRefused(400, "A221202");
    if (JSON.stringify(patched).length > largestDocument) throw new CallRefused(400, "A221203");
  }
  return patched;
}

function readPatch(text: string): readonly Operation[] {
  const patch = parse(text);
  if (!Array.isArray(patch) || patch.length > mostOperations || !patch.every(isOperation)) {
    throw new CallRefused(400, "A221201");
  }
  return patch;
}

/** Not handed on as the cause: the parser's message quotes the text. */
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
  if (op === "move" || op === "copy") return isPointer(from) && !(op === "move" && `${path}/`.startsWith(`${from}/`));
  return op === "remove" || Object.hasOwn(value, "value");
}

/** RFC 6901 §3. */
function isPointer(value: unknown): value is string {
  return typeof value === "string" && /^(?:\/(?:[^~/]|~[01])*)*$/.test(value);
}

/**
 * Whether a pointer leads along the document's own members only: what every object inherits is not to be changed, and
 * an array has elements and no length.
 */
function staysInside(document: unknown, pointer: string): boolean {
  let place = document;
  const tokens = pointer.split("/").slice(1);
  return tokens.every((escaped, index) => {
    const token = escaped.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof place !== "object" || place === null) return false;
    if (Array.isArray(place) && !/^(?:0|[1-9][0-9]{0,5}|-)$/.test(token)) return false;
    const isOwn = Object.hasOwn(place, token);
    const isLast = index === tokens.length - 1;
    const inside = isOwn || (isLast && !(token in place));
    place = isOwn ? (place as Record<string, unknown>)[token] : undefined;
    return inside;
  });
}
