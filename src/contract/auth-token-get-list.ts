import { z } from "zod";
import * as member from "./members.ts";
import { defineOperation } from "./operation.ts";

const position = (description: string) => z.int().nullish().describe(description).meta({ format: "int64" });

export const tokenListRequest = z
  .object({
    clientIdentifier: member.text("Only tokens of this client: its number or alias."),
    subject: member.text("Only tokens of this user."),
    tokenStatus: z
      .enum(["VALID", "INVALID", "ALL", ""])
      .nullish()
      .describe("Whether they have expired; default ALL. Revoked tokens are never listed."),
    start: position(
      "Index of the first token, from 0; default 0. The list is sorted by expiry, then by time of issue.",
    ),
    end: position(
      "Index after the last token; default `start` + 5. At most 1000 tokens are listed, and none beyond the first 10,000: continue with `after` there.",
    ),
    after: z
      .string()
      .regex(/^(?:[A-Za-z0-9_-]{58}[AEIMQUYcgkosw048])?$/)
      .nullish()
      .describe(
        "An extension: `next` of an earlier answer to the same request. The list starts after it, and `start` and `end` count from there.",
      ),
  })
  .meta({ id: "TokenListRequest" });

const listedClient = z
  .looseObject({
    clientId: member.identifier("The client's number."),
    clientIdAlias: z.string().optional(),
    clientIdAliasEnabled: z.boolean().optional(),
    clientName: z.string().optional(),
    clientType: z.enum(["PUBLIC", "CONFIDENTIAL"]),
  })
  .meta({ id: "TokenListClient", description: "The client in a list of tokens." });

const listedToken = z
  .looseObject({
    accessTokenHash: member.tokenHash("The access token"),
    refreshTokenHash: member.tokenHash("The refresh token of its grant").optional(),
    clientId: member.identifier("The client's number."),
    subject: z.string().optional(),
    grantType: member.grantType,
    scopes: z.array(z.string()).optional(),
    refreshTokenScopes: z.array(z.string()).optional(),
    certificateThumbprint: z
      .string()
      .describe("The `x5t#S256` of the certificate that the token is bound to; absent for an unbound token.")
      .optional(),
    accessTokenExpiresAt: member.milliseconds("When the access token expires"),
    refreshTokenExpiresAt: member.milliseconds("When the refresh token expires").optional(),
    createdAt: member.milliseconds("When it was issued"),
    lastRefreshedAt: member.milliseconds("When its grant was last refreshed (0: never)"),
    properties: z.array(member.property).optional(),
  })
  .meta({ id: "TokenListEntry", description: "An access token, with the refresh token of its grant." });

const tokenListResponse = z
  .looseObject({
    start: z.int().describe("Index of the first token.").meta({ format: "int64" }),
    end: z.int().describe("Index after the last token.").meta({ format: "int64" }),
    totalCount: z
      .int()
      .describe(
        "The total number of tokens, also with `after`. At most 10,000 are counted; see `totalCountIsLowerBound`.",
      )
      .meta({ format: "int64" }),
    totalCountIsLowerBound: z
      .literal(true)
      .optional()
      .describe(
        "An extension: there are more than 10,000 tokens, and `totalCount` is how many of the first ones are active.",
      ),
    next: z
      .string()
      .optional()
      .describe(
        "An extension: the list continues; pass this as `after`. Absent at the end. If many tokens were revoked one by one, an answer may have fewer tokens than requested, even none, and still a `next`.",
      ),
    client: listedClient.optional(),
    subject: z.string().optional(),
    accessTokens: z.array(listedToken),
  })
  .meta({ id: "TokenListResponse" });

export type TokenListRequest = z.infer<typeof tokenListRequest>;
export type TokenListResponse = z.infer<typeof tokenListResponse>;

export const authTokenGetList = defineOperation({
  operationId: "auth_token_get_list_api",
  method: "GET",
  path: "/auth/token/get/list",
  caller: "service",
  summary: "List access tokens",
  description:
    "Lists a part of the service's access tokens, optionally of one client or one user. The cost does not depend on the number of tokens: beyond the first 10,000 the list continues with `after`, and no more are counted.",
  request: tokenListRequest,
  response: tokenListResponse,
  v2Type: "tokenListResponse",
  idempotent: true,
  example: {
    request: { subject: "user-1", tokenStatus: "VALID", start: 0, end: 20 },
    response: {
      start: 0,
      end: 20,
      totalCount: 1,
      subject: "user-1",
      accessTokens: [
        {
          accessTokenHash: "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2",
          clientId: 4_326_385_670,
          subject: "user-1",
          grantType: "AUTHORIZATION_CODE",
          scopes: ["read"],
          certificateThumbprint: "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0",
          accessTokenExpiresAt: 1_640_419_200_000,
          createdAt: 1_640_415_600_000,
          lastRefreshedAt: 0,
        },
      ],
    },
  },
});
