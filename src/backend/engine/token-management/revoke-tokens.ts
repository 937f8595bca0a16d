import type { Context } from "../context.ts";
import type { TokenDeleteRequest } from "../../../contract/auth-token-delete.ts";
import type { TokenRevokeRequest, TokenRevokeResponse } from "../../../contract/auth-token-revoke.ts";
import { isSet } from "../../../oauth/json-object.ts";
import type { Command } from "../../store/command.ts";
import type { StoredAccessToken, StoredRefreshToken, TokenCount, TokenCountQuery } from "../../store/store.ts";
import { CallRefused, result } from "../answer/result.ts";
import { newAttempt, runDecided } from "../answer/run-decided.ts";
import type { Dependencies } from "../dependencies.ts";
import { endToken, invalidateToken } from "../revocation/end-token.ts";
import { findEnabledClient } from "../settings/find-client.ts";
import { digestsOfIdentifier, findIdentifiedAccessToken, findIdentifiedRefreshToken } from "./token-identifier.ts";

/** Tokens of each kind that are counted before they end; all tokens end, whatever their number. */
const mostCounted = 1_000;

/** What ends, and how much that is; `undefined`: nothing does. */
type Ending = { readonly command: Command; readonly counted: TokenCount } | undefined;

const nothing: TokenCount = { count: 0, moreThanCounted: false };

/** Finds the tokens to end, again at each attempt. */
type Decide = () => Promise<Ending>;

/**
 * Ends all tokens that the request names and returns their number. The end of an unknown token is sent to caches, too.
 *
 * Throws {@link CallRefused} 400 `A312201` when the request names nothing. Each kind of selector is a separate command;
 * after a failure the caller repeats the request, and tokens that ended stay ended.
 */
export async function revokeTokens(context: Context, request: TokenRevokeRequest): Promise<TokenRevokeResponse> {
  const { service } = context;
  const { store } = context;
  const serviceId = service.settings.apiKey;
  const { accessTokenIdentifier, refreshTokenIdentifier } = request;
  const decisions: Decide[] = [];
  const forUnknown = (identifier: string): Command =>
    invalidateToken(context, serviceId, digestsOfIdentifier(identifier));
  if (isSet(accessTokenIdentifier)) {
    decisions.push(async () => {
      const token = await findIdentifiedAccessToken(store, serviceId, accessTokenIdentifier);
      return token === undefined
        ? { command: forUnknown(accessTokenIdentifier), counted: nothing }
        : endingOf(context, serviceId, token);
    });
  }
  if (isSet(refreshTokenIdentifier)) {
    decisions.push(async () => {
      const token = await findIdentifiedRefreshToken(store, serviceId, refreshTokenIdentifier);
      return token === undefined
        ? { command: forUnknown(refreshTokenIdentifier), counted: nothing }
        : endingOf(context, serviceId, token);
    });
  }
  if (isSet(request.clientIdentifier) || isSet(request.subject)) {
    decisions.push(() => decideByOwner(context, request));
  }
  if (decisions.length === 0) throw new CallRefused(400, "A312201");
  let [count, isLowerBound] = [0, false];
  for (const decide of decisions) {
    const counted = await end(context, decide);
    count += counted.count;
    isLowerBound ||= counted.moreThanCounted;
  }
  return {
    ...result(count === 0 && !isLowerBound ? "A313301" : "A312001"),
    count,
    ...(isLowerBound && { countIsLowerBound: true as const }),
  };
}

/** A token ends with its grant; without a grant it ends by itself. */
async function endingOf(
  dependencies: Dependencies,
  serviceId: number,
  token: StoredAccessToken | StoredRefreshToken,
): Promise<Ending> {
  const { grantId, expiresAt } = token;
  const counted =
    grantId === undefined
      ? { count: expiresAt > dependencies.clock() ? 1 : 0, moreThanCounted: false }
      : await countOf(dependencies, serviceId, { grantId });
  return { command: endToken(dependencies, serviceId, token), counted };
}

async function decideByOwner(
  context: Context,
  { clientIdentifier, subject: named }: TokenRevokeRequest,
): Promise<Ending> {
  const { settings, service } = context;
  const client = isSet(clientIdentifier) ? await findEnabledClient(settings, service, clientIdentifier) : undefined;
  // Otherwise the tokens of every client would end that the user has.
  if (isSet(clientIdentifier) && client === undefined) return undefined;
  const { random, clock } = context;
  const serviceId = service.settings.apiKey;
  const owner = { clientId: client?.client.settings.clientId, subject: isSet(named) ? named : undefined };
  const counted = await countOf(context, serviceId, owner);
  return {
    command: { name: "revoke-tokens", attempt: newAttempt(random), serviceId, ...owner, endedAt: clock() },
    counted,
  };
}

/**
 * Counted before they end, because afterwards they cannot be told from earlier ones. What cannot be counted still ends.
 */
async function countOf(
  { store, clock, reportFault }: Dependencies,
  serviceId: number,
  of: TokenCountQuery["of"],
): Promise<TokenCount> {
  try {
    return await store.countTokens(serviceId, { of, now: clock(), most: mostCounted });
  } catch (error) {
    reportFault?.(error, "the tokens to be revoked could not be counted");
    return { count: 0, moreThanCounted: true };
  }
}

async function end(dependencies: Dependencies, decide: Decide): Promise<TokenCount> {
  const ending = await runDecided(dependencies, async () => {
    const decided = await decide();
    return decided === undefined ? { outcome: undefined } : { outcome: decided, command: decided.command };
  });
  return ending?.counted ?? nothing;
}

/**
 * Ends an access token with its grant, and sends the end of an unknown one to caches; throws {@link CallRefused}:
 * `A161201` without a token, 404 `A161202` for an unknown one.
 */
export async function deleteToken(context: Context, { accessTokenIdentifier }: TokenDeleteRequest): Promise<undefined> {
  const { service } = context;
  if (accessTokenIdentifier === "") throw new CallRefused(400, "A161201");
  const serviceId = service.settings.apiKey;
  const found = await runDecided(context, async () => {
    const token = await findIdentifiedAccessToken(context.store, serviceId, accessTokenIdentifier);
    const command =
      token === undefined
        ? invalidateToken(context, serviceId, digestsOfIdentifier(accessTokenIdentifier))
        : endToken(context, serviceId, token);
    return { outcome: token !== undefined, command };
  });
  if (!found) throw new CallRefused(404, "A161202");
  return undefined;
}
