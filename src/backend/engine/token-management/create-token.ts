import type { TokenCreateRequest, TokenCreateResponse } from "../../../contract/auth-token-create.ts";
import type { IssueTokens } from "../../store/command.ts";
import { newAttempt } from "../attempt.ts";
import type { Dependencies } from "../dependencies.ts";
import { writeGrantDetails } from "../grant-details.ts";
import type { Service, Settings } from "../management/settings-memo.ts";
import { result, type ResultCode } from "../result.ts";
import { DecisionContended, runDecided, type Decided } from "../run-decided.ts";
import { createTokenSet, durationOf, expiryAfter, type TokenSet } from "../token/token-set.ts";
import { readCreateRequest, type CheckedCreate } from "./create-request.ts";
import { findAccessToken, findRefreshToken } from "./token-identifier.ts";

const grantIdOctets = 16;

/** Makes a token without a request of the client, on the responsibility of the API's caller. */
export async function createToken(
  dependencies: Dependencies,
  settings: Settings,
  service: Service,
  request: TokenCreateRequest,
): Promise<TokenCreateResponse> {
  const checked = await readCreateRequest(settings, service, request);
  if ("refusedWith" in checked) return refused(checked.refusedWith, checked.detail);
  const taken = await chosenInUse(dependencies, service, checked);
  if (taken !== undefined) return refused(taken);
  try {
    return await runDecided(dependencies, () => decideCreate(dependencies, service, checked, request));
  } catch (error) {
    if (error instanceof DecisionContended && (await standsStill(settings, service, checked))) {
      const { chosenAccessToken, chosenRefreshToken } = checked;
      // Kept of a token that has ended, or by another service: nothing in force, and yet not to be had again.
      if (chosenAccessToken !== undefined) return refused("A144201");
      if (chosenRefreshToken !== undefined) return refused("A144202");
    }
    throw error;
  }
}

/** Whether it was the chosen values that stood in the way. */
async function standsStill(settings: Settings, service: Service, { client }: CheckedCreate): Promise<boolean> {
  const current = await settings.service(service.settings.apiKey);
  const { clientId } = client.settings;
  return (
    current?.version === service.version && (await settings.client(current, { clientId }))?.version === client.version
  );
}

async function chosenInUse(
  { store }: Dependencies,
  { settings: { apiKey } }: Service,
  { chosenAccessToken, chosenRefreshToken }: CheckedCreate,
): Promise<ResultCode | undefined> {
  for (const [value, code] of [
    [chosenAccessToken, "A144201"],
    [chosenRefreshToken, "A144202"],
  ] as const) {
    if (value === undefined) continue;
    const token = (await findAccessToken(store, apiKey, value)) ?? (await findRefreshToken(store, apiKey, value));
    if (token !== undefined) return code;
  }
  return undefined;
}

async function decideCreate(
  dependencies: Dependencies,
  service: Service,
  checked: CheckedCreate,
  request: TokenCreateRequest,
): Promise<Decided<TokenCreateResponse>> {
  const { clock, random } = dependencies;
  const { client, x5tS256, scopes, resources } = checked;
  const ofService = service.settings;
  const ofClient = client.settings.extension;
  const refreshDuration = durationOf(
    request.refreshTokenDuration,
    ofClient?.refreshTokenDuration,
    ofService.refreshTokenDuration,
  );
  const set = await createTokenSet(dependencies, {
    ...checked,
    service,
    code: "A109001",
    requestedResources: [],
    accessTokenDuration: durationOf(
      request.accessTokenDuration,
      ofClient?.accessTokenDuration,
      ofService.accessTokenDuration,
    ),
    ...(checked.hasRefreshToken
      ? {
          refreshToken: {
            chosen: checked.chosenRefreshToken,
            scopes,
            resources,
            expiresAt: expiryAfter(clock(), refreshDuration),
            // A confidential client's is bound by its authentication (RFC 8705 §4).
            x5tS256: client.settings.clientType === "PUBLIC" ? x5tS256 : undefined,
          },
        }
      : {}),
    first: true,
  });
  const command: IssueTokens = {
    name: "issue-tokens",
    attempt: newAttempt(random),
    serviceId: ofService.apiKey,
    serviceVersion: service.version,
    clientId: client.settings.clientId,
    clientVersion: client.version,
    ...(checked.subject === undefined
      ? {}
      : {
          grant: {
            grantId: Buffer.from(random(grantIdOctets)).toString("base64url"),
            details: writeGrantDetails(checked.details),
          },
        }),
    ...set.kept,
  };
  return { outcome: responseOf(service, checked, set), command };
}

function responseOf(service: Service, checked: CheckedCreate, { response }: TokenSet): TokenCreateResponse {
  const { accessToken, jwtAccessToken, accessTokenDuration, accessTokenExpiresAt, properties } = response;
  const { refreshToken, refreshTokenExpiresAt, refreshTokenScopes } = response;
  const { clientId, clientIdAlias } = checked.client.settings;
  return {
    ...result("A109001"),
    action: "OK",
    ...(accessToken === undefined ? {} : { accessToken }),
    ...(jwtAccessToken === undefined ? {} : { jwtAccessToken }),
    tokenType: service.settings.accessTokenType,
    ...(accessTokenDuration === undefined ? {} : { expiresIn: accessTokenDuration }),
    ...(accessTokenExpiresAt === undefined ? {} : { expiresAt: accessTokenExpiresAt }),
    ...(refreshToken === undefined ? {} : { refreshToken }),
    ...(refreshTokenExpiresAt === undefined ? {} : { refreshTokenExpiresAt }),
    ...(refreshTokenScopes === undefined ? {} : { refreshTokenScopes }),
    grantType: checked.grantType,
    clientId,
    clientIdentifier: (checked.clientIdAliasUsed ? clientIdAlias : undefined) ?? String(clientId),
    ...(checked.subject === undefined ? {} : { subject: checked.subject }),
    ...(checked.scopes.length === 0 ? {} : { scopes: [...checked.scopes] }),
    ...(properties === undefined ? {} : { properties }),
  };
}

function refused(code: ResultCode, detail?: string): TokenCreateResponse {
  return { ...result(code, detail), action: "BAD_REQUEST" };
}
