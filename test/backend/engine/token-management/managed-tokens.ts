import { randomBytes } from "node:crypto";
import type { ExecutionContext } from "ava";
import type { ClientSettings, ServiceSettings } from "../../../../src/backend/engine/settings/settings.ts";
import type { Command } from "../../../../src/backend/store/command.ts";
import type { Store } from "../../../../src/backend/store/store.ts";
import { createEngineByHand, type EngineByHand } from "../../../support/engine.ts";
import { clientSettings, serviceSettings } from "../../../support/settings.ts";

export const thumbprint = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0";
export const otherThumbprint = "OID_Sc2yReTDx9QS7f1SMUzNxsh7khJYmaIwqXw8Yuw";

/** The id of the second service; its clients have the same numbers. */
export const otherServiceId = 42;

const settings: Partial<ServiceSettings> = {
  supportedScopes: [{ name: "read" }, { name: "write" }],
  supportedGrantTypes: ["AUTHORIZATION_CODE", "PASSWORD", "CLIENT_CREDENTIALS", "REFRESH_TOKEN"],
};

/**
 * Client 1 with bound tokens, 2 public, 3 locked, 4 with unbound tokens and an alias, 5 that cannot refresh
 * and whose alias is not enabled.
 */
const clients: readonly ClientSettings[] = [
  clientSettings({ clientId: 1, grantTypes: ["AUTHORIZATION_CODE", "REFRESH_TOKEN"] }),
  clientSettings({ clientId: 2, tokenAuthMethod: "NONE", grantTypes: ["AUTHORIZATION_CODE", "REFRESH_TOKEN"] }),
  clientSettings({ clientId: 3, locked: true }),
  clientSettings({
    clientId: 4,
    clientIdAlias: "four",
    clientName: "The fourth",
    tlsClientCertificateBoundAccessTokens: false,
    grantTypes: ["AUTHORIZATION_CODE", "REFRESH_TOKEN"],
  }),
  clientSettings({
    clientId: 5,
    clientIdAlias: "five",
    clientIdAliasEnabled: false,
    tlsClientCertificateBoundAccessTokens: false,
  }),
];

export interface ManagedTokens extends EngineByHand {
  /** What the engine gave its store, in order. */
  readonly commands: Command[];
  /** What introspection says of a token now. */
  readonly facts: (token: string | undefined, service?: number) => Promise<Readonly<Record<string, unknown>>>;
}

/** Two services with the same clients, and what was written for them. */
export async function startManagedTokens(
  t: ExecutionContext,
  more: Partial<ServiceSettings> = {},
  around: Partial<Store> = {},
): Promise<ManagedTokens> {
  const commands: Command[] = [];
  const services = [
    { settings: serviceSettings({ ...settings, introspectionOfRefreshTokens: true, ...more }), clients },
    {
      settings: serviceSettings({ ...settings, introspectionOfRefreshTokens: true, ...more, apiKey: otherServiceId }),
      clients,
    },
  ];
  const byHand = await createEngineByHand(t, services, {
    around: (store) => ({
      ...around,
      run: (command) => {
        commands.push(command);
        return store.run(command);
      },
    }),
  });
  return {
    ...byHand,
    commands,
    async facts(token = "", service) {
      const parameters = new URLSearchParams({ token }).toString();
      const answer = await byHand.operations(service).authIntrospectionStandard({ parameters });
      return JSON.parse(answer.responseContent ?? "") as Record<string, unknown>;
    },
  };
}

/** A value that a caller may choose for a token. */
export function chosenToken(): string {
  return randomBytes(24).toString("base64url");
}
