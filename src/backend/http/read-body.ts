import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import getRawBody from "raw-body";
import { ApiError } from "../../contract/api-error.ts";
import { type Operation, pathMembers } from "../../contract/operation.ts";
import { hasMoreElements } from "../../oauth/json-object.ts";
import type { FormBodyReader } from "./form-body.ts";

/** The most octets that a body may have. */
const maximumBody = 1_048_576;

/** Of JSON: four times the thousand entries that the longest lists of a request may have. */
const mostElements = 4000;

/**
 * Reads the body of a call, JSON or a form, into an unchecked value.
 *
 * Throws {@link ApiError}: 400 `A258201` without a fitting Content-Type, 415 for a content coding, 400 `A126203`
 * without a body, 413 above 1 MiB, 400 `A126202` for a text that is not UTF-8, not JSON, or JSON of more than 4000
 * elements. Messages never quote the body.
 *
 * @example await readBody(request, createFormBodyReader(authToken))
 */
export async function readBody(request: IncomingMessage, readForm: FormBodyReader): Promise<unknown> {
  const form = isForm(request.headers["content-type"]);
  const coding = request.headers["content-encoding"];
  if (coding !== undefined && coding.toLowerCase() !== "identity") {
    throw new ApiError(415, "A000201", "The request body has a content coding.", {
      headers: { "Accept-Encoding": "identity" },
    });
  }
  const octets = await readOctets(request);
  if (octets.length === 0) throw new ApiError(400, "A126203", "The request body is missing.");
  if (!isUtf8(octets)) throw new ApiError(400, "A126202", "The request body is not UTF-8.");
  return form ? readForm(octets.toString()) : readJson(octets.toString());
}

function isForm(contentType: string | undefined): boolean {
  if (contentType === "application/json") return false;
  if (contentType === undefined) throw new ApiError(400, "A258201", "The Content-Type header is missing.");
  const [mediaType = "", ...parameters] = contentType.split(";").map((part) => part.trim().toLowerCase());
  const charsets = parameters.filter((parameter) => parameter.startsWith("charset="));
  if (charsets.every((charset) => charset === "charset=utf-8" || charset === 'charset="utf-8"')) {
    if (mediaType === "application/json") return false;
    if (mediaType === "application/x-www-form-urlencoded") return true;
  }
  throw new ApiError(
    400,
    "A258201",
    "The Content-Type has to be application/json or application/x-www-form-urlencoded, in UTF-8.",
  );
}

async function readOctets(request: IncomingMessage): Promise<Buffer> {
  try {
    return await getRawBody(request, { length: request.headers["content-length"] ?? null, limit: maximumBody });
  } catch (error) {
    // The rest of the body must be read before the connection can carry the next request.
    request.resume();
    const kind = error instanceof Error && "type" in error ? error.type : undefined;
    if (kind === "entity.too.large") {
      throw new ApiError(413, "A000201", `The request body is larger than ${maximumBody} octets.`);
    }
    if (kind === "request.aborted" || kind === "request.size.invalid") {
      throw new ApiError(400, "A126203", "The request body broke off.");
    }
    throw error;
  }
}

function readJson(text: string): unknown {
  if (hasMoreElements(text, mostElements)) {
    throw new ApiError(400, "A126202", `The request body has more than ${mostElements} members and entries.`);
  }
  try {
    return JSON.parse(text);
  } catch {
    // Not passed on as the cause: the parser's message quotes the text.
    throw new ApiError(400, "A126202", "The request body is not JSON.");
  }
}

/** Reads a call without a body into a value that nothing is known of yet: its query, and the path's own segments. */
export type QueryReader = (request: IncomingMessage, segments: readonly string[]) => unknown;

/**
 * Makes the reader of an operation's calls without a body; a body that comes nevertheless is not looked at.
 *
 * The reader throws {@link ApiError} 400 `A126202` for what cannot be decoded, without a word of it in the message.
 *
 * @example createQueryReader(authTokenGetList, createFormBodyReader(authTokenGetList))(request, [])
 */
export function createQueryReader(operation: Operation, readForm: FormBodyReader): QueryReader {
  const inPath = pathMembers(operation);
  return ({ url = "" }, segments) => {
    const asked = url.indexOf("?");
    const members = asked === -1 ? {} : readForm(url.slice(asked + 1));
    inPath.forEach((name, index) => {
      members[name] = decoded(operation, segments[index] ?? "");
    });
    return members;
  };
}

function decoded({ path }: Operation, segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new ApiError(400, "A126202", `${path}, a segment of the path is not percent-encoded UTF-8.`);
  }
}
