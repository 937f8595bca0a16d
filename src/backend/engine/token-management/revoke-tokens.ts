import type { TokenDeleteRequest } from "../../../contract/auth-token-delete.ts";
import type { TokenRevokeRequest, TokenRevokeResponse } from "../../../contract/auth-token-revoke.ts";
import { isSet } from "../../../oauth/json-object.ts";
import type { Command } from "../../store/command.ts";
import type { StoredAccessToken, StoredRefreshToken, TokenCount, TokenCountQuery } from "../../store/store.ts";
import { CallRefused } from "../answer/call-refused.ts";
import { result } from "../answer/result.ts";
import { newAttempt, runDecided } from "../answer/run-decided.ts";
import type { Dependencies } from "../dependencies.ts";
import { endToken, invalidateToken } from "../revocation/end-token.ts";
import { findEnabledClient } from "../settings/find-client.ts";
import type { Service, Settings } from "../settings/service-and-client.ts";
import { digestsOfIdentifier, findIdentifiedAccessToken, findIdentifiedRefreshToken } from "./token-identifier.ts";

/** Tokens of a kind that are looked at to be counted, before they end; all are ended, however many they are. */
const mostCounted = 1_000;

/** What ends, and how much that is; `undefined`: nothing does. */
type Ending = { readonly command: Command; readonly counted: TokenCount } | undefined;

const nothing: TokenCount = { count: 0, moreThanCounted: false };

/** Finds what is to be ended, anew each time. */
type Decide = () => Promise<Ending>;

/**
 * Ends every token that the request names, all of them, and says how many those were. What is remembered of a token that
 * is named and not known ends, too.
 *
 * Throws {@link CallRefused} 400 `A312201` for a request that names none. Each kind of selector is a command of its own;
 * after a failure the caller asks again, and what has ended stays so.
 */
export async function revokeTokens(
  dependencies: Dependencies,
  settings: Settings,
  service: Service,
  request: TokenRevokeRequest,
): Promise<TokenRevokeResponse> {
  const { store } = dependencies;
  const serviceId = service.settings.apiKey;
  const { accessTokenIdentifier, refreshTokenIdentifier } = request;
  const decisions: Decide[] = [];
  const forUnknown = (identifier: string): Command =>
    invalidateToken(dependencies, serviceId, digestsOfIdentifier(identifier));
  if (isSet(accessTokenIdentifier)) {
    decisions.push(async () => {
      const token = await findIdentifiedAccessToken(store, serviceId, accessTokenIdentifier);
      return token === undefined
        ? { command: forUnknown(accessTokenIdentifier), counted: nothing }
        : endingOf(dependencies, serviceId, token);
    });
  }
  if (isSet(refreshTokenIdentifier)) {
    decisions.push(async () => {
      const token = await findIdentifiedRefreshToken(store, serviceId, refreshTokenIdentifier);
      return token === undefined
        ? { command: forUnknown(refreshTokenIdentifier), counted: nothing }
        : endingOf(dependencies, serviceId, token);
    });
  }
  if (isSet(request.clientIdentifier) || isSet(request.subject)) {
    decisions.push(() => decideByOwner(dependencies, settings, service, request));
  }
  if (decisions.length === 0) throw new CallRefused(400, "A312201");
  let [count, isLowerBound] = [0, false];
  for (const decide of decisions) {
    const counted = await end(dependencies, decide);
    count += counted.count;
    isLowerBound ||= counted.moreThanCounted;
  }
  return {
    ...result(count === 0 && !isLowerBound ? "A313301" : "A312001"),
    count,
    ...(isLowerBound && { countIsLowerBound: true as const }),
  };
}

/** A token ends with its grant, or by itself when it stands alone. */
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
  dependencies: Dependencies,
  settings: Settings,
  service: Service,
  { clientIdentifier, subject: named }: TokenRevokeRequest,
): Promise<Ending> {
  const client = isSet(clientIdentifier) ? await findEnabledClient(settings, service, clientIdentifier) : undefined;
  // Otherwise the tokens of every client would end that the user has.
  if (isSet(clientIdentifier) && client === undefined) return undefined;
  const { random, clock } = dependencies;
  const serviceId = service.settings.apiKey;
  const owner = { clientId: client?.client.settings.clientId, subject: isSet(named) ? named : undefined };
  const counted = await countOf(dependencies, serviceId, owner);
  return {
    command: { name: "revoke-tokens", attempt: newAttempt(random), serviceId, ...owner, endedAt: clock() },
    counted,
  };
}

/** Before they end: afterwards they cannot be told from what had ended earlier. What cannot be counted ends all the same. */
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

/** Ends an access token with its grant, and what is remembered of an unknown one; throws {@link CallRefused}: `A161201` without one, 404 `A161202`. */
export async function deleteToken(
  dependencies: Dependencies,
  service: Service,
  { accessTokenIdentifier }: TokenDeleteRequest,
): Promise<undefined> {
  if (accessTokenIdentifier === "") throw new CallRefused(400, "A161201");
  const serviceId = service.settings.apiKey;
  const found = await runDecided(dependencies, async () => {
    const token = await findIdentifiedAccessToken(dependencies.store, serviceId, accessTokenIdentifier);
    const command =
      token === undefined
        ? invalidateToken(dependencies, serviceId, digestsOfIdentifier(accessTokenIdentifier))
        : endToken(dependencies, serviceId, token);
    return { outcome: token !== undefined, command };
  });
  if (!found) throw new CallRefused(404, "A161202");
  return undefined;
}
