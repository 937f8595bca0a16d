import { z } from "zod";
import { defineOperation } from "./operation.ts";

const tokenDeleteRequest = z
  .object({
    accessTokenIdentifier: z
      .string()
      .max(16_384)
      .describe("The access token, opaque or JWT, or its SHA-256 as base64url."),
  })
  .meta({ id: "TokenDeleteRequest" });

export type TokenDeleteRequest = z.infer<typeof tokenDeleteRequest>;

export const authTokenDelete = defineOperation({
  operationId: "auth_token_delete_api",
  method: "DELETE",
  path: "/auth/token/delete/{accessTokenIdentifier}",
  caller: "service",
  summary: "Delete an access token",
  description: "Revokes an access token and its grant, with the refresh token and every other token of the grant.",
  request: tokenDeleteRequest,
  response: z.undefined(),
  // The second call gets 404, so after a lost response a retry could not tell whether it succeeded.
  idempotent: false,
  example: {
    request: { accessTokenIdentifier: "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" },
    response: undefined,
  },
});
