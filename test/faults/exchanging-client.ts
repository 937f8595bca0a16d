import { sharedClock } from "../support/forked-program.ts";
import type { ApiClient } from "../../src/api-client/index.ts";
import { secretOf, serviceId } from "../support/settings.ts";

/** One user's grant, as its client sees it: what it was answered, and what it still waits for. */
export interface ExchangedGrant {
  readonly subject: string;
  /** What the client has to exchange next: first its code, then its latest refresh token. */
  next: { readonly kind: "code" | "refresh"; readonly value: string };
  /** When an exchange of `next` went without an answer, on the clock of {@link sharedClock}; else `undefined`. */
  unanswered: number | undefined;
  /** How many sets of tokens the store must hold: answers with tokens, and one that was decided and never arrived. */
  sets: number;
  /** The access tokens of all answers. */
  readonly accessTokens: string[];
  readonly codes: string[];
  /** What ended it: then nothing of it may work. */
  over: "lost code" | "window" | undefined;
}

/** Milliseconds: for as long as a refresh token gives the same answer again. */
export const window = 30_000;

export const exchangingService = {
  apiKey: serviceId,
  apiSecret: { env: "API_SECRET" },
  serviceAccessTokens: [{ env: "ACCESS_TOKEN" }],
  issuer: "https://as.example.com",
  supportedGrantTypes: ["AUTHORIZATION_CODE", "REFRESH_TOKEN"],
  authorizationCodeDuration: 600,
  clients: [
    {
      clientId: 1,
      clientType: "CONFIDENTIAL",
      tokenAuthMethod: "CLIENT_SECRET_POST",
      clientSecret: { env: "CLIENT_SECRET" },
      grantTypes: ["AUTHORIZATION_CODE", "REFRESH_TOKEN"],
      redirectUris: ["https://client.example.org/cb"],
    },
  ],
};

const credentials = `client_id=1&client_secret=${secretOf(1)}`;

/** A code of a user's own; rejects when the backend does not answer. */
export async function obtainGrant(api: ApiClient, subject: string): Promise<ExchangedGrant> {
  const { ticket = "" } = await api.authAuthorization({ parameters: "response_type=code&client_id=1" });
  const { responseContent = "" } = await api.authAuthorizationIssue({ ticket, subject });
  const code = new URL(responseContent).searchParams.get("code") ?? "";
  const next = { kind: "code", value: code } as const;
  return { subject, next, unanswered: undefined, sets: 0, accessTokens: [], codes: [code], over: undefined };
}

/** What became of an exchange. */
export type Exchanged = "answered" | "unanswered" | "refused";

/** Exchanges what is next of a grant and writes down what the client has learnt. */
export async function exchange(api: ApiClient, grant: ExchangedGrant): Promise<Exchanged> {
  const { kind, value } = grant.next;
  let answer;
  const asked = sharedClock();
  try {
    answer = await api.authToken({ parameters: `${parametersOf(kind, value)}&${credentials}` });
  } catch {
    grant.unanswered ??= asked;
    return "unanswered";
  }
  const { action, accessToken, refreshToken, responseContent = "" } = answer;
  if (action === "OK" && accessToken !== undefined && refreshToken !== undefined) {
    grant.accessTokens.push(accessToken);
    grant.sets += 1;
    grant.next = { kind: "refresh", value: refreshToken };
    grant.unanswered = undefined;
    return "answered";
  }
  if (!responseContent.includes('"invalid_grant"')) throw new Error(`An exchange was answered ${responseContent}`);
  return "refused";
}

/** Asks for what was answered before, without taking note of it; `undefined` when it is refused. */
export async function askAgain(api: ApiClient, next: ExchangedGrant["next"]): Promise<string | undefined> {
  const answer = await api.authToken({ parameters: `${parametersOf(next.kind, next.value)}&${credentials}` });
  return answer.action === "OK" ? answer.responseContent : undefined;
}

function parametersOf(kind: "code" | "refresh", value: string): string {
  return kind === "code"
    ? `grant_type=authorization_code&code=${value}`
    : `grant_type=refresh_token&refresh_token=${value}`;
}
