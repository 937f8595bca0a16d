import type { IncomingMessage } from "node:http";
import { ApiError } from "../../contract/api-error.ts";
import { pathMembers, type Operation } from "../../contract/operation.ts";
import type { FormBodyReader } from "./form-body.ts";

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
