import { z } from "zod";
import { defineOperation } from "./operation.ts";

const tokenDeleteRequest = z
  .object({
    accessTokenIdentifier: z
      .string()
      .max(16_384)
      .describe("The access token, in either form, or its SHA-256 as base64url."),
  })
  .meta({ id: "TokenDeleteRequest" });

export type TokenDeleteRequest = z.infer<typeof tokenDeleteRequest>;

export const authTokenDelete = defineOperation({
  operationId: "auth_token_delete_api",
  method: "DELETE",
  path: "/auth/token/delete/{accessTokenIdentifier}",
  caller: "service",
  summary: "Delete an access token",
  description:
    "Ends an access token and the grant that it belongs to, with its refresh token and every other token of it.",
  request: tokenDeleteRequest,
  response: z.undefined(),
  // Asked again it answers 404: a repetition after an answer that was lost could not tell.
  idempotent: false,
  example: {
    request: { accessTokenIdentifier: "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" },
    response: undefined,
  },
});
