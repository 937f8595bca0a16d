import { z } from "zod";
import * as member from "./members.ts";
import { defineOperation } from "./operation.ts";

const authorizationRequest = z
  .object({
    parameters: member.text(
      "The authorization request as it arrived: the query without its `?`, or the form-encoded body (RFC 6749 §4.1.1).",
    ),
    context: member.text("Any text of the caller, stored with the ticket; never sent to the client."),
    cimdOptions: z.looseObject({}).nullish().describe("Not supported: a request with a value is refused."),
  })
  .meta({ id: "AuthorizationRequest" });

const prompt = z.enum(["NONE", "LOGIN", "CONSENT", "SELECT_ACCOUNT", "CREATE"]).meta({ id: "Prompt" });
const display = z.enum(["PAGE", "POPUP", "TOUCH", "WAP"]).meta({ id: "Display" });

/** Facts about the service that a page may show to the user. */
const limitedService = z
  .object({
    apiKey: member.identifier("The service's id."),
    serviceName: z.string().optional(),
    clientIdAliasEnabled: z.boolean().optional(),
  })
  .meta({ id: "LimitedService", description: "Facts about the service that a page may show to the user." });

/** Facts about the client that a page may show to the user. */
const limitedClient = z
  .object({
    clientId: member.identifier("The client's number."),
    clientIdAlias: z.string().optional(),
    clientIdAliasEnabled: z.boolean().optional(),
    clientName: z.string().optional(),
  })
  .meta({ id: "LimitedClient", description: "Facts about the client that a page may show to the user." });

const names = (description: string) => z.array(z.string()).describe(description).optional();

const authorizationResponse = z
  .looseObject({
    ...member.result,
    action: z
      .enum(["INTERNAL_SERVER_ERROR", "BAD_REQUEST", "LOCATION", "FORM", "NO_INTERACTION", "INTERACTION"])
      .describe(
        "What the authorization server does next: 500, 400, a redirect to `responseContent`, 200 with `responseContent` as HTML; for NO_INTERACTION it decides without asking the user, for INTERACTION it asks the user, and then it calls `auth/authorization/issue` or `auth/authorization/fail` with `ticket`.",
      ),
    responseContent: z.string().describe("The JSON body, the URL or the page; absent with a ticket.").optional(),
    ticket: z
      .string()
      .describe("For `auth/authorization/issue` and `auth/authorization/fail`; never for the client.")
      .optional(),
    service: limitedService.optional(),
    client: limitedClient.optional(),
    clientIdAliasUsed: z.boolean().describe("Whether the request named the client by its alias.").optional(),
    scopes: z
      .array(member.scope)
      .describe("The requested scopes that can be granted, or else the defaults.")
      .optional(),
    prompts: z.array(prompt).describe("The values of `prompt`.").optional(),
    lowestPrompt: prompt
      .describe("The value of `prompts` that demands most of the user; CONSENT if there is none.")
      .optional(),
    display: display.describe("PAGE if the request has none.").optional(),
    maxAge: member.seconds("The maximum age of the user's login").optional(),
    maxAgeRequested: z
      .boolean()
      .describe("Whether the request has `max_age`; distinguishes `max_age=0` (authenticate now) from no `max_age`.")
      .optional(),
    acrs: names("The requested authentication context classes, the preferred one first."),
    acrEssential: z.boolean().describe("Whether one of `acrs` must be met.").optional(),
    subject: z.string().describe("The required user, from `claims` or `id_token_hint`.").optional(),
    loginHint: z.string().optional(),
    uiLocales: names("The requested languages of the pages, the preferred one first."),
    claimsLocales: names("The requested languages of the claims, the preferred one first."),
    claims: names("The claims requested in the ID token, without those that the backend sets itself."),
    claimsAtUserInfo: names("The claims requested at the UserInfo endpoint, including those of the scopes."),
    idTokenClaims: z.string().describe("The `id_token` half of `claims`, as JSON text.").optional(),
    userInfoClaims: z.string().describe("The `userinfo` half of `claims`, as JSON text.").optional(),
    resources: names("The requested resources (RFC 8707)."),
  })
  .meta({ id: "AuthorizationResponse" });

export type AuthorizationRequest = z.infer<typeof authorizationRequest>;
export type AuthorizationResponse = z.infer<typeof authorizationResponse>;

export const authAuthorization = defineOperation({
  operationId: "auth_authorization_api",
  method: "POST",
  path: "/auth/authorization",
  caller: "service",
  summary: "Process an authorization request",
  description:
    "Processes an authorization request as it arrived at the authorization endpoint, and returns what to ask the user, with a ticket that can be used once within 24 hours. Only `response_type=code` is supported: no token ever leaves the authorization endpoint (RFC 8705 §6.4, RFC 9700 §2.1.2).",
  request: authorizationRequest,
  response: authorizationResponse,
  v2Type: "authorizationResponse",
  idempotent: false,
  unsupported: ["cimdOptions"],
  example: {
    request: {
      parameters:
        "response_type=code&client_id=4326385670&redirect_uri=https%3A%2F%2Fclient.example.com%2Fcb&scope=read&state=af0ifjsldkj&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256",
    },
    response: {
      resultCode: "A004001",
      resultMessage:
        "[A004001] A ticket was issued for the authorization request (service 3693555439, client 4326385670, response_type=code, openid=false).",
      action: "INTERACTION",
      ticket: "e4iPTH2JrEFqbY8l9zYHQ7aQoXhUY9z4FPFBPF1UCQM",
      service: { apiKey: 3_693_555_439, serviceName: "Example Bank", clientIdAliasEnabled: true },
      client: { clientId: 4_326_385_670, clientIdAliasEnabled: false, clientName: "Budget App" },
      clientIdAliasUsed: false,
      scopes: [{ name: "read", description: "Read your accounts" }],
      lowestPrompt: "CONSENT",
      display: "PAGE",
    },
  },
});
