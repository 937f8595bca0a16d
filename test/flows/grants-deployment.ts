import type { ExecutionContext } from "ava";
import type { ClientSettings, ServiceSettings } from "../../src/backend/engine/settings/settings.ts";
import type { Store } from "../../src/backend/store/store.ts";
import { codeVerifier, redirectUri } from "../support/authorization.ts";
import type { TestCertificate } from "../support/certificates.ts";
import { accessTokenOf, startDeployment, type Deployment } from "../support/deployment.ts";
import { grantsServices, k1 } from "../support/grants.ts";
import { basic, type HttpAnswer } from "../support/https-request.ts";
import { keepCode, type CodeMembers, type KeptCode } from "../support/keep-code.ts";
import { makeStoreFile, openStoreBeside } from "../support/store-beside.ts";
import { secretOf } from "../support/settings.ts";

type FormMembers = Readonly<Record<string, string | undefined>>;
type Headers = Readonly<Record<string, string>>;

/** A deployment over a file whose service has every grant but PASSWORD; clients as in `openGrants`. */
export interface GrantsDeployment extends Deployment {
  readonly store: Store;
  readonly code: (members?: CodeMembers) => Promise<KeptCode>;
  /** By client 1 with its secret over a connection with {@link k1}, unless told otherwise. */
  readonly exchange: (code: string, form?: FormMembers, as?: TestCertificate, headers?: Headers) => Promise<HttpAnswer>;
  readonly refresh: (token: string, form?: FormMembers, as?: TestCertificate, headers?: Headers) => Promise<HttpAnswer>;
  readonly begin: (members?: CodeMembers) => Promise<Tokens>;
  readonly isActive: (token: string) => Promise<boolean>;
  readonly facts: (token: string) => Promise<Record<string, unknown>>;
}

export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
}

export const authorization = basic(1, secretOf(1));

export async function startGrants(
  t: ExecutionContext,
  service: Partial<ServiceSettings> = {},
  own: readonly ClientSettings[] = [],
  clock: () => number = Date.now,
): Promise<GrantsDeployment> {
  const [configured] = grantsServices(service, own);
  if (configured === undefined) throw new Error("There is no service.");
  const file = await makeStoreFile(t);
  const { settings, clients } = configured;
  const deployment = await startDeployment(t, { service: settings, clients, configuration: file.configuration, clock });
  const store = await openStoreBeside(t, file);
  const code: GrantsDeployment["code"] = (members) => keepCode(store, clock(), members);
  const exchange: GrantsDeployment["exchange"] = (value, form = {}, as = k1, headers = { authorization }) => {
    const whole = { code: value, redirect_uri: redirectUri, code_verifier: codeVerifier, ...form };
    return deployment.token({ grant_type: "authorization_code", ...whole }, as, headers);
  };
  const facts: GrantsDeployment["facts"] = async (token) =>
    JSON.parse((await deployment.introspect(token)).body) as Record<string, unknown>;
  return {
    ...deployment,
    store,
    code,
    exchange,
    refresh: (token, form = {}, as = k1, headers = { authorization }) =>
      deployment.token({ grant_type: "refresh_token", refresh_token: token, ...form }, as, headers),
    begin: async (members) => tokensOf(t, await exchange((await code(members)).code)),
    facts,
    isActive: async (token) => (await facts(token))["active"] === true,
  };
}

/** Both tokens of an answer; fails the test when there are not two. */
export function tokensOf(t: ExecutionContext, answer: HttpAnswer): Tokens {
  const accessToken = accessTokenOf(t, answer);
  const { refresh_token: refreshToken } = JSON.parse(answer.body) as { refresh_token?: unknown };
  if (typeof refreshToken !== "string") throw new TypeError("The answer has no refresh_token.");
  return { accessToken, refreshToken };
}
