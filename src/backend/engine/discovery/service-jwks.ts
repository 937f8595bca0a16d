import type { ServiceJwksGetRequest, ServiceJwksGetResponse } from "../../../contract/service-jwks-get.ts";
import type { Service } from "../settings/service-and-client.ts";

/** The service's keys as a JWK Set, `undefined` when there are none; private halves only for who asks for them. */
export function jwksOfService(
  { settings, signingKeys }: Service,
  { includePrivateKeys }: ServiceJwksGetRequest,
): ServiceJwksGetResponse | undefined {
  if (signingKeys.keys.length === 0) return undefined;
  if (includePrivateKeys !== true || settings.jwks === undefined) return copyOf(signingKeys.publicJwks);
  return JSON.parse(settings.jwks) as ServiceJwksGetResponse;
}

/** Of the memo's own: nobody who is answered may change it. */
function copyOf(jwks: Service["signingKeys"]["publicJwks"]): ServiceJwksGetResponse {
  return structuredClone(jwks) as unknown as ServiceJwksGetResponse;
}
