import { timingSafeEqual } from "node:crypto";
import type { ApiCallerCredentials } from "../../../contract/operation.ts";
import type { ResultCode } from "../answer/result.ts";
import { readIdentifier } from "./find-client.ts";
import { digestOfSecret, type Service, type Settings } from "./service-and-client.ts";

/** Who the API caller is: the service it speaks for, or why it is not accepted. */
export type ApiCaller = { readonly service: Service } | { readonly error: ResultCode };

/**
 * Authenticates the caller of the API by the credentials of a service (Authlete's API).
 *
 * Digests of secrets are compared in constant time. Whether a service id exists is not a secret of the v2 shape: the
 * contract has a code for each case.
 */
export async function authenticateApiCaller(settings: Settings, credentials: ApiCallerCredentials): Promise<ApiCaller> {
  if (credentials.scheme === "basic") {
    const service = await serviceOf(settings, readIdentifier(credentials.apiKey));
    const right = timingSafeEqual(digestOfSecret(credentials.apiSecret), service?.apiSecretDigest ?? nobody);
    if (service === undefined) return { error: "A003201" };
    return right ? { service } : { error: "A003204" };
  }
  const service = await serviceOf(settings, credentials.serviceId);
  const presented = digestOfSecret(credentials.accessToken);
  const right = (service?.accessTokenDigests ?? [nobody]).filter((digest) => timingSafeEqual(presented, digest));
  return service !== undefined && right.length > 0 ? { service } : { error: "A458101" };
}

/** No secret has this digest. */
const nobody = new Uint8Array(32);

function serviceOf(settings: Settings, serviceId: number | undefined): Promise<Service | undefined> {
  return serviceId === undefined ? Promise.resolve(undefined) : settings.service(serviceId);
}
