import type { ExecutionContext } from "ava";
import type { ClientSettings, ServiceSettings } from "../../src/backend/engine/settings/settings.ts";
import type { TokenRequest, TokenResponse } from "../../src/contract/auth-token.ts";
import { codeVerifier, redirectUri } from "./authorization.ts";
import { createSelfSigned, type TestCertificate } from "./certificates.ts";
import { createEngineByHand, startInstant, type EngineByHand } from "./engine.ts";
import { keepCode, type CodeMembers, type KeptCode } from "./keep-code.ts";
import { clientSettings, secretOf, serviceSettings } from "./settings.ts";

export const k1 = createSelfSigned({ subject: "CN=client-1" });
export const k2 = createSelfSigned({ subject: "CN=client-2" });

type FormMembers = Readonly<Record<string, string | undefined>>;

/** How a test asks: by client 1 over a connection with {@link k1}, unless it says otherwise. */
export type Asking = Partial<TokenRequest> & {
  readonly client?: number;
  readonly as?: TestCertificate | undefined;
};

/** An engine whose service has every grant but PASSWORD, with clients 1 and 2, which have a secret, and 3, a public one. */
export interface Grants extends EngineByHand {
  readonly ask: (form: FormMembers | string, asking?: Asking) => Promise<TokenResponse>;
  /** A code of now. */
  readonly code: (members?: CodeMembers) => Promise<KeptCode>;
  /** Exchanges a code, with redirect URI and verifier; `form` replaces or, with `undefined`, removes parameters. */
  readonly exchange: (code: string, form?: FormMembers, asking?: Asking) => Promise<TokenResponse>;
  readonly refresh: (token: string | undefined, form?: FormMembers, asking?: Asking) => Promise<TokenResponse>;
  /** The first tokens of a new grant. */
  readonly begin: (members?: CodeMembers, asking?: Asking) => Promise<BegunGrant>;
  /** Standard introspection: the members, `active` among them. */
  readonly facts: (token: string | undefined) => Promise<Record<string, unknown>>;
  readonly isActive: (token: string | undefined) => Promise<boolean>;
}

interface BegunGrant {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly grantId: string;
  readonly code: string;
}

export const supportedGrantTypes = ["AUTHORIZATION_CODE", "REFRESH_TOKEN", "CLIENT_CREDENTIALS"] as const;

export function grantsClient(settings: Partial<ClientSettings> & { clientId: number }): ClientSettings {
  return clientSettings({ grantTypes: supportedGrantTypes, redirectUris: [redirectUri], ...settings });
}

/** The settings that {@link openGrants} starts with. */
export function grantsServices(service: Partial<ServiceSettings> = {}, clients: readonly ClientSettings[] = []) {
  const scopes = ["read", "write", "openid"].map((name) => ({ name }));
  // Tests ask whether refresh tokens are in force, as a caller that manages tokens does.
  const managing = { introspectionOfRefreshTokens: true };
  const settings = serviceSettings({ supportedGrantTypes, supportedScopes: scopes, ...managing, ...service });
  const own = [
    grantsClient({ clientId: 1 }),
    grantsClient({ clientId: 2 }),
    grantsClient({ clientId: 3, tokenAuthMethod: "NONE" }),
  ].filter(({ clientId }) => clients.every((client) => client.clientId !== clientId));
  return [{ settings, clients: [...own, ...clients] }];
}

export async function openGrants(
  t: ExecutionContext,
  service: Partial<ServiceSettings> = {},
  clients: readonly ClientSettings[] = [],
  parts: Parameters<typeof createEngineByHand>[2] = {},
): Promise<Grants> {
  const byHand = await createEngineByHand(t, grantsServices(service, clients), parts);
  return { ...byHand, ...grantsOf(byHand) };
}

/** The same questions to an engine that the test has put together itself. */
export function grantsOf(byHand: EngineByHand): Omit<Grants, keyof EngineByHand> {
  const ask: Grants["ask"] = (form, { client = 1, ...asking } = {}) => {
    const { as, ...request } = { as: k1, ...asking };
    const parameters = typeof form === "string" ? form : encode(form);
    const byName = client === 3 ? { parameters: `${parameters}&client_id=3` } : { parameters, ...withSecret(client) };
    return byHand.operations().authToken({ clientCertificate: as?.pem, ...byName, ...request });
  };
  const code: Grants["code"] = (members) => keepCode(byHand.store, byHand.dependencies.clock(), members);
  const exchange: Grants["exchange"] = (value, form, asking) =>
    ask(
      {
        grant_type: "authorization_code",
        code: value,
        redirect_uri: redirectUri,
        code_verifier: codeVerifier,
        ...form,
      },
      asking,
    );
  const facts: Grants["facts"] = async (token) => {
    const answer = await byHand.operations().authIntrospectionStandard({ parameters: `token=${token}` });
    return JSON.parse(answer.responseContent ?? "") as Record<string, unknown>;
  };
  return {
    ask,
    code,
    exchange,
    refresh: (token, form, asking) => ask({ grant_type: "refresh_token", refresh_token: token, ...form }, asking),
    async begin(members, asking) {
      const kept = await code({ ...(asking?.client === undefined ? {} : { clientId: asking.client }), ...members });
      const { accessToken, refreshToken, resultMessage } = await exchange(kept.code, {}, asking);
      if (accessToken === undefined || refreshToken === undefined) throw new Error(resultMessage);
      return { ...kept, accessToken, refreshToken };
    },
    facts,
    isActive: async (token) => (await facts(token))["active"] === true,
  };
}

const withSecret = (client: number) => ({ clientId: String(client), clientSecret: secretOf(client) });

function encode(form: FormMembers): string {
  const given = Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return new URLSearchParams(given).toString();
}

/** The `error` of a refusal. */
export function errorOf({ responseContent }: Pick<TokenResponse, "responseContent">): unknown {
  return (JSON.parse(responseContent ?? "{}") as { error?: unknown }).error;
}

export { startInstant };
