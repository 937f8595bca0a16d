import { isSet } from "../oauth/set-member.ts";
import type { z } from "zod";
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
