import type { Context } from "../context.ts";
import type { TokenCreateRequest, TokenCreateResponse } from "../../../contract/auth-token-create.ts";
import { result, type ResultCode } from "../answer/result.ts";
import { type Decided, DecisionContended, runDecided } from "../answer/run-decided.ts";
import { drawGrantId } from "../grant/drawn-text.ts";
import { accessTokenDuration } from "../grant/durations.ts";
import { writeGrantDetails } from "../grant/grant-details.ts";
import { clientIdOf } from "../settings/find-client.ts";
import type { Service } from "../settings/service-and-client.ts";
import { newRefreshToken } from "../token/new-refresh-token.ts";
import { createTokenSet, issueCommand, type TokenSet } from "../token/token-set.ts";
import { type CheckedCreate, readCreateRequest } from "./create-request.ts";
import { findIdentifiedAccessToken, findIdentifiedRefreshToken } from "./token-identifier.ts";

/** Makes a token without a request of the client, on the responsibility of the API's caller. */
export async function createToken(context: Context, request: TokenCreateRequest): Promise<TokenCreateResponse> {
  const checked = await readCreateRequest(context, request);
  if ("error" in checked) return refused(checked.error, checked.detail);
  const taken = await chosenInUse(context, checked);
  if (taken !== undefined) return refused(taken);
  try {
    return await runDecided(context, () => decideCreate(context, checked, request));
  } catch (error) {
    if (error instanceof DecisionContended && (await standsStill(context, checked))) {
      const { chosenAccessToken, chosenRefreshToken } = checked;
      // The value belongs to an ended token or to another service: not active, and still not available.
      if (chosenAccessToken !== undefined) return refused("A144201");
      if (chosenRefreshToken !== undefined) return refused("A144202");
    }
    throw error;
  }
}

/** Whether it was the chosen values that stood in the way. */
async function standsStill({ settings, service }: Context, { client }: CheckedCreate): Promise<boolean> {
  const current = await settings.service(service.settings.apiKey);
  const { clientId } = client.settings;
  return (
    current?.version === service.version && (await settings.client(current, { clientId }))?.version === client.version
  );
}

async function chosenInUse(
  { store, service }: Context,
  { chosenAccessToken, chosenRefreshToken }: CheckedCreate,
): Promise<ResultCode | undefined> {
  const { apiKey } = service.settings;
  for (const [value, code] of [
    [chosenAccessToken, "A144201"],
    [chosenRefreshToken, "A144202"],
  ] as const) {
    if (value === undefined) continue;
    const token =
      (await findIdentifiedAccessToken(store, apiKey, value)) ??
      (await findIdentifiedRefreshToken(store, apiKey, value));
    if (token !== undefined) return code;
  }
  return undefined;
}

async function decideCreate(
  context: Context,
  checked: CheckedCreate,
  request: TokenCreateRequest,
): Promise<Decided<TokenCreateResponse>> {
  const { service } = context;
  const { client, subject, details, x5tS256, scopes, resources } = checked;
  const refreshToken = checked.hasRefreshToken
    ? newRefreshToken(service, client, {
        scopes,
        resources,
        x5tS256,
        chosen: checked.chosenRefreshToken,
        requestedDuration: request.refreshTokenDuration,
        now: context.clock(),
      })
    : {};
  const set = await createTokenSet(context, {
    ...checked,
    service,
    code: "A109001",
    requestedResources: [],
    accessTokenDuration: accessTokenDuration(service, client, request.accessTokenDuration),
    ...refreshToken,
    first: true,
  });
  const grant = { grantId: drawGrantId(context.random), details: writeGrantDetails(details) };
  const command = issueCommand(context, client, set.kept, subject === undefined ? {} : { grant });
  return { outcome: responseOf(service, checked, set), command };
}

function responseOf(service: Service, checked: CheckedCreate, { response }: TokenSet): TokenCreateResponse {
  const { accessToken, jwtAccessToken, accessTokenDuration, accessTokenExpiresAt, properties } = response;
  const { refreshToken, refreshTokenExpiresAt, refreshTokenScopes } = response;
  return {
    ...result("A109001"),
    action: "OK",
    ...(accessToken !== undefined && { accessToken }),
    ...(jwtAccessToken !== undefined && { jwtAccessToken }),
    tokenType: service.settings.accessTokenType,
    ...(accessTokenDuration !== undefined && { expiresIn: accessTokenDuration }),
    ...(accessTokenExpiresAt !== undefined && { expiresAt: accessTokenExpiresAt }),
    ...(refreshToken !== undefined && { refreshToken }),
    ...(refreshTokenExpiresAt !== undefined && { refreshTokenExpiresAt }),
    ...(refreshTokenScopes !== undefined && { refreshTokenScopes }),
    grantType: checked.grantType,
    clientId: checked.client.settings.clientId,
    clientIdentifier: clientIdOf(checked),
    ...(checked.subject !== undefined && { subject: checked.subject }),
    ...(checked.scopes.length !== 0 && { scopes: [...checked.scopes] }),
    ...(properties !== undefined && { properties }),
  };
}

function refused(code: ResultCode, detail?: string): TokenCreateResponse {
  return { ...result(code, detail), action: "BAD_REQUEST" };
}
