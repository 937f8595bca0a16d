import { randomUUID } from "node:crypto";
import { writeGrantDetails } from "../../../src/backend/engine/grant/grant-details.ts";
import { type Client, createSettings, type Service } from "../../../src/backend/engine/settings/service-and-client.ts";
import { newAttempt } from "../../../src/backend/engine/answer/run-decided.ts";
import { createTokenSet, type TokenSetDecision } from "../../../src/backend/engine/token/token-set.ts";
import type { TokenResponse } from "../../../src/contract/auth-token.ts";
import type { EngineByHand } from "../../support/engine.ts";
import { serviceId } from "../../support/settings.ts";

/** The service and one of its clients as the engine has them now. */
export async function readPrepared(
  { dependencies }: Pick<EngineByHand, "dependencies">,
  clientId = 1,
): Promise<{ readonly service: Service; readonly client: Client }> {
  const settings = createSettings(dependencies);
  const service = await settings.service(serviceId);
  const client = service && (await settings.client(service, { clientId }));
  if (service === undefined || client === undefined) throw new Error("There is no such service or client.");
  return { service, client };
}

/** Tokens of a user, decided upon by the test, drawn, signed and kept as every grant does it. */
export async function issueToUser(
  byHand: Pick<EngineByHand, "dependencies">,
  decision: Partial<TokenSetDecision> & { readonly clientId?: number } = {},
): Promise<TokenResponse> {
  const { dependencies } = byHand;
  const { service, client } = await readPrepared(byHand, decision.clientId);
  const details = decision.details ?? {};
  const { response, kept } = await createTokenSet(dependencies, {
    service,
    client,
    clientIdAliasUsed: false,
    grantType: "AUTHORIZATION_CODE",
    code: "A052001",
    subject: "user-1",
    scopes: ["openid"],
    requestedResources: [],
    resources: [],
    x5tS256: undefined,
    accessTokenDuration: 3600,
    details,
    first: true,
    ...decision,
  });
  const outcome = await dependencies.store.run({
    name: "issue-tokens",
    attempt: newAttempt(dependencies.random),
    serviceId,
    serviceVersion: service.version,
    clientId: client.settings.clientId,
    clientVersion: client.version,
    grant: { grantId: randomUUID(), details: writeGrantDetails(details) },
    ...kept,
  });
  if (outcome !== "done") throw new Error("The tokens could not be kept.");
  return response;
}
