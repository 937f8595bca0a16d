import type { ApiCallerCredentials } from "../../contract/api-caller-credentials.ts";
import type { Operations } from "../../contract/operations.ts";
import { authenticateApiCaller, type ApiCaller } from "./api-caller/authenticate-api-caller.ts";
import type { Dependencies } from "./dependencies.ts";
import { introspectStandard } from "./introspection/introspect-standard.ts";
import { introspect } from "./introspection/introspect.ts";
import { createSettings, type Service } from "./management/settings-memo.ts";
import { revoke } from "./revocation/revoke.ts";
import { processTokenRequest } from "./token/process-token-request.ts";

/** The operations that act for a service. */
export type ServiceOperations = Omit<Operations, "info">;

/** The decisions: knows OAuth, neither HTTP nor SQL. */
export interface Engine {
  authenticateApiCaller(credentials: ApiCallerCredentials): Promise<ApiCaller>;
  /** The service as it stands now; `undefined` when there is none of that id. */
  service(serviceId: number): Promise<Service | undefined>;
  /** The API as that service may use it; requests have been read already. */
  operationsFor(service: Service): ServiceOperations;
}

/** Puts the decisions together with what they are handed. */
export function createEngine(dependencies: Dependencies): Engine {
  const settings = createSettings(dependencies);
  return {
    authenticateApiCaller: (credentials) => authenticateApiCaller(settings, credentials),
    service: (serviceId) => settings.service(serviceId),
    operationsFor: (service) => ({
      authToken: (request) => processTokenRequest(dependencies, settings, service, request),
      authIntrospection: (request) => introspect(dependencies, settings, service, request),
      authIntrospectionStandard: (request) => introspectStandard(dependencies, settings, service, request),
      authRevocation: (request) => revoke(dependencies, settings, service, request),
    }),
  };
}
