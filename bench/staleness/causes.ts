import type { ApiClient } from "../../src/api-client/index.ts";
import { clientSettings, secretOf } from "../../test/support/settings.ts";

/** A token that every API accepts, and the function that ends it. */
export interface WatchedToken {
  readonly token: string;
  /** Resolves when the backend has answered: then the end is acknowledged. */
  readonly end: (backend: ApiClient) => Promise<void>;
}

/** Prepares a token that will end by this cause. It is bound to the certificate (PEM). */
export type Cause = (backend: ApiClient, clientCertificate: string) => Promise<WatchedToken>;

const redirectUri = "https://client.example.com/callback";

/** The client of all these tokens. */
export const client = clientSettings({
  clientId: 1000,
  tokenAuthMethod: "CLIENT_SECRET_POST",
  grantTypes: ["CLIENT_CREDENTIALS", "AUTHORIZATION_CODE", "REFRESH_TOKEN"],
  redirectUris: [redirectUri],
});

const credentials = `client_id=${client.clientId}&client_secret=${secretOf(client.clientId)}`;

export const causes = {
  /** The client revokes the token. */
  revocation: async (backend, clientCertificate) => {
    const { accessToken } = await issue(backend, clientCertificate, "grant_type=client_credentials");
    return {
      token: accessToken,
      end: async (backend) => {
        const { action } = await backend.authRevocation({ parameters: `token=${accessToken}&${credentials}` });
        expectAction("OK", action);
      },
    };
  },

  /** A refresh token is used after its successor was used: the whole family is revoked. */
  "refresh token used again": async (backend, clientCertificate) => {
    const { accessToken, refreshToken: first = "" } = await redeem(
      backend,
      clientCertificate,
      await authorize(backend),
    );
    const { refreshToken: second = "" } = await issue(backend, clientCertificate, refreshing(first));
    await issue(backend, clientCertificate, refreshing(second));
    return { token: accessToken, end: refused(clientCertificate, refreshing(first)) };
  },

  /** A code is redeemed a second time: the tokens of the first time are revoked. */
  "code redeemed again": async (backend, clientCertificate) => {
    const code = await authorize(backend);
    const { accessToken } = await redeem(backend, clientCertificate, code);
    return { token: accessToken, end: refused(clientCertificate, redeeming(code)) };
  },
} satisfies Record<string, Cause>;

const refreshing = (refreshToken: string): string => `grant_type=refresh_token&refresh_token=${refreshToken}`;
const redeeming = (code: string): string =>
  `grant_type=authorization_code&code=${code}&redirect_uri=${encodeURIComponent(redirectUri)}`;

function redeem(backend: ApiClient, clientCertificate: string, code: string) {
  return issue(backend, clientCertificate, redeeming(code));
}

async function authorize(backend: ApiClient): Promise<string> {
  const query = { response_type: "code", client_id: String(client.clientId), redirect_uri: redirectUri };
  const { action, ticket } = await backend.authAuthorization({ parameters: new URLSearchParams(query).toString() });
  expectAction("INTERACTION", action);
  const { authorizationCode } = await backend.authAuthorizationIssue({ ticket: ticket ?? "", subject: "user" });
  if (authorizationCode === undefined) throw new Error("no code was issued");
  return authorizationCode;
}

async function issue(backend: ApiClient, clientCertificate: string, grant: string) {
  const answer = await backend.authToken({ parameters: `${grant}&${credentials}`, clientCertificate });
  expectAction("OK", answer.action);
  const { accessToken, refreshToken } = answer;
  if (accessToken === undefined) throw new Error("no token was issued");
  return { accessToken, refreshToken };
}

function refused(clientCertificate: string, grant: string): WatchedToken["end"] {
  return async (backend) => {
    const { action } = await backend.authToken({ parameters: `${grant}&${credentials}`, clientCertificate });
    expectAction("BAD_REQUEST", action);
  };
}

function expectAction(expected: string, action: string): void {
  if (action !== expected) throw new Error(`the backend answered ${action} instead of ${expected}`);
}
