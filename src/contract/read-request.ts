import type { z } from "zod";
import { isSet } from "../oauth/json-object.ts";
import { ApiError } from "./api-error.ts";
import type { Operation } from "./operation.ts";

/**
 * Reads the body of a call: the operation's schema, then the members that it has and that we do not serve.
 *
 * Throws {@link ApiError}: 400 `A126202` for a wrong shape, naming members and never their values, and 403 `A001223`
 * for a member that would change the outcome if it were honoured (`null`, 0, false, "" and [] mean unset).
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

/** The header in which an API caller names the address of the OAuth client that it asks for. */
export const clientAddressHeader = "x-forwarded-for";

/** An IPv4 or IPv6 address, an IPv6 one perhaps with its zone: nothing else can be in it. */
const shape = /^(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(?:%[0-9A-Za-z]{1,16})?)$/;

const longest = 64;

/**
 * The client's address as an API caller names it: the first of a list separated by commas, `undefined` for anything
 * but an address. It is for the log only: a caller may write anything there.
 *
 * @example readClientAddress("203.0.113.7, 10.0.0.1") // "203.0.113.7"
 */
export function readClientAddress(text: unknown): string | undefined {
  if (typeof text !== "string") return undefined;
  const comma = text.indexOf(",");
  const first = (comma === -1 ? text : text.slice(0, comma)).trim();
  return first.length <= longest && shape.test(first) ? first : undefined;
}
