import type { TokenDeleteRequest } from "../../../contract/auth-token-delete.ts";
import { CallRefused } from "../answer/call-refused.ts";
import { runDecided } from "../answer/run-decided.ts";
import type { Dependencies } from "../dependencies.ts";
import type { Service } from "../settings/service-and-client.ts";
import { endToken, invalidateToken } from "../revocation/end-token.ts";
import { digestsOfIdentifier, findIdentifiedAccessToken } from "./token-identifier.ts";

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
