import type { TokenRevokeRequest, TokenRevokeResponse } from "../../../contract/auth-token-revoke.ts";
import type { Command } from "../../store/command.ts";
import { newAttempt } from "../attempt.ts";
import { CallRefused } from "../call-refused.ts";
import type { Dependencies } from "../dependencies.ts";
import { findEnabledClient } from "../find-client.ts";
import { invalidateToken } from "../invalidate-token.ts";
import type { Service, Settings } from "../management/settings-memo.ts";
import { result } from "../result.ts";
import { runDecided } from "../run-decided.ts";
import { endToken } from "./end-token.ts";
import { digestsOfIdentifier, findAccessToken, findRefreshToken } from "./token-identifier.ts";

/** Finds what is to be ended, anew each time; `undefined`: nothing is. */
type Decide = () => Promise<Command | undefined>;

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
  if (isGiven(accessTokenIdentifier)) {
    decisions.push(async () => {
      const token = await findAccessToken(store, serviceId, accessTokenIdentifier);
      return token === undefined ? forUnknown(accessTokenIdentifier) : endToken(dependencies, serviceId, token);
    });
  }
  if (isGiven(refreshTokenIdentifier)) {
    decisions.push(async () => {
      const token = await findRefreshToken(store, serviceId, refreshTokenIdentifier);
      return token === undefined ? forUnknown(refreshTokenIdentifier) : endToken(dependencies, serviceId, token);
    });
  }
  if (isGiven(request.clientIdentifier) || isGiven(request.subject)) {
    decisions.push(() => decideByOwner(dependencies, settings, service, request));
  }
  if (decisions.length === 0) throw new CallRefused(400, "A312201");
  let count = 0;
  for (const decide of decisions) count += await endedBy(dependencies, serviceId, decide);
  return { ...result(count === 0 ? "A313301" : "A312001"), count };
}

async function decideByOwner(
  { random, clock }: Dependencies,
  settings: Settings,
  service: Service,
  { clientIdentifier, subject }: TokenRevokeRequest,
): Promise<Command | undefined> {
  const client = isGiven(clientIdentifier) ? await findEnabledClient(settings, service, clientIdentifier) : undefined;
  // Otherwise the tokens of every client would end that the user has.
  if (isGiven(clientIdentifier) && client === undefined) return undefined;
  return {
    name: "revoke-tokens",
    attempt: newAttempt(random),
    serviceId: service.settings.apiKey,
    clientId: client?.client.settings.clientId,
    subject: isGiven(subject) ? subject : undefined,
    endedAt: clock(),
  };
}

async function endedBy(dependencies: Dependencies, serviceId: number, decide: Decide): Promise<number> {
  const command = await runDecided(dependencies, async () => {
    const decided = await decide();
    return decided === undefined ? { outcome: undefined } : { outcome: decided, command: decided };
  });
  const { store, clock } = dependencies;
  return command === undefined ? 0 : store.countEnded(serviceId, command.attempt, clock());
}

function isGiven(text: string | null | undefined): text is string {
  return text !== undefined && text !== null && text !== "";
}
