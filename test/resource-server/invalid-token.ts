import type { ExecutionContext } from "ava";
import type { HttpAnswer } from "../support/https-request.ts";
import { readChallenge } from "../support/read-challenge.ts";

/** Asserts the one answer to every token that is not good, whatever the reason. */
export function invalidToken(t: ExecutionContext, { status, headers, body }: HttpAnswer): void {
  t.is(status, 401);
  const { scheme, parameters } = readChallenge(headers["www-authenticate"] ?? "");
  t.is(scheme, "bearer");
  t.deepEqual(
    [...parameters],
    [
      ["realm", "accounts"],
      ["error", "invalid_token"],
    ],
  );
  t.is(headers["cache-control"], "no-store");
  t.is(headers["content-type"]?.split(";")[0], "application/json");
  t.deepEqual(JSON.parse(body), { error: "invalid_token" });
}
