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
      .describe("Whether they have expired; default ALL. Tokens that were ended are never listed."),
    start: position(
      "Where the slice begins, from 0; default 0. The list is in the order of expiry, and of issue where tokens expire at the same time.",
    ),
    end: position(
      "Before which it ends; default 5 after its beginning. At most 1000 tokens are listed, and none beyond the first 10,000: go on with `after` there.",
    ),
    after: z
      .string()
      .regex(/^(?:[A-Za-z0-9_-]{58}[AEIMQUYcgkosw048])?$/)
      .nullish()
      .describe(
        "An extension: `next` of an earlier answer to the same question. The list begins behind it, and `start` and `end` count from there.",
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
  .meta({ id: "TokenListClient", description: "What a list of tokens says of a client." });

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
      .describe("The `x5t#S256` of the certificate that the token is bound to; left out when there is none.")
      .optional(),
    accessTokenExpiresAt: member.milliseconds("When the access token expires"),
    refreshTokenExpiresAt: member.milliseconds("When the refresh token expires").optional(),
    createdAt: member.milliseconds("When it was issued"),
    lastRefreshedAt: member.milliseconds("When its grant was last refreshed, 0: never"),
    properties: z.array(member.property).optional(),
  })
  .meta({ id: "TokenListEntry", description: "An access token, with the refresh token of its grant." });

const tokenListResponse = z
  .looseObject({
    start: z.int().describe("Where the slice begins.").meta({ format: "int64" }),
    end: z.int().describe("Before which it ends.").meta({ format: "int64" }),
    totalCount: z
      .int()
      .describe(
        "How many there are all told, also with `after`. The first 10,000 are counted; see `totalCountIsLowerBound`.",
      )
      .meta({ format: "int64" }),
    totalCountIsLowerBound: z
      .literal(true)
      .optional()
      .describe(
        "An extension: there are more than 10,000, and `totalCount` is how many of the first of them are active.",
      ),
    next: z
      .string()
      .optional()
      .describe(
        "An extension: the list goes on; give it as `after`. Left out at the end. Where many tokens have ended one by one, an answer may have fewer than were asked for, even none, and a `next`.",
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
    "Answers a slice of the service's access tokens, of one client or one user if these are named. It costs the same however many tokens there are: beyond the first 10,000 the list is read by `after`, and no more are counted.",
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
