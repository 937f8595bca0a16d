import type { z } from "zod";
import { isSet } from "../oauth/json-object.ts";
import { ApiError } from "./api-error.ts";
import type { Operation } from "./operation.ts";

/**
 * Reads the request of a call: validates its shape, then rejects unsupported members.
 *
 * Throws {@link ApiError}: 400 `A126202` for a wrong shape, naming members and never their values, and 403 `A001223`
 * for an unsupported member with a value (`null`, 0, false, "" and [] mean unset).
 *
 * @example readRequest(authIntrospection, { token: "…" })
 */
export function readRequest<Request extends z.ZodType>(
  operation: Operation<Request>,
  body: unknown,
): z.output<Request> {
  const parsed = operation.request.safeParse(body);
  if (!parsed.success) {
    const members = parsed.error.issues.map((issue) => issue.path.join(".") || "the body").slice(0, 10);
    const named = [...new Set(members)].join(", ");
    const read = operation.method === "POST" ? "request body" : "request";
    throw new ApiError(400, "A126202", `${operation.path}, the ${read} does not have the right shape: ${named}.`);
  }
  refuseUnsupported(operation, parsed.data);
  return parsed.data;
}

function refuseUnsupported(operation: Operation, request: unknown): void {
  if (typeof request !== "object" || request === null) return;
  const members = request as Record<string, unknown>;
  const demanded = operation.unsupported?.find((name) => isSet(members[name]));
  if (demanded !== undefined) {
    throw new ApiError(403, "A001223", `${operation.path}, "${demanded}" is not supported by this backend.`);
  }
}

/** The header for the address of the OAuth client on whose behalf the API is called. */
export const clientAddressHeader = "x-forwarded-for";

/** An IPv4 address, or an IPv6 address with an optional zone. */
const shape = /^(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(?:%[0-9A-Za-z]{1,16})?)$/;

const longest = 64;

/**
 * Reads the client's address from an API caller: the first of a comma-separated list; `undefined` if it is not an address.
 * Use it for logs only, because a caller may send any address.
 *
 * @example readClientAddress("203.0.113.7, 10.0.0.1") // "203.0.113.7"
 */
export function readClientAddress(text: unknown): string | undefined {
  if (typeof text !== "string") return undefined;
  const comma = text.indexOf(",");
  const first = (comma === -1 ? text : text.slice(0, comma)).trim();
  return first.length <= longest && shape.test(first) ? first : undefined;
}
