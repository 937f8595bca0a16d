import type { ApiCallerCredentials } from "../../contract/api-caller-credentials.ts";
import type { Operations } from "../../contract/operations.ts";
import { authenticateApiCaller, type ApiCaller } from "./api-caller/authenticate-api-caller.ts";
import { failAuthorization } from "./authorization/fail.ts";
import { issueAuthorizationCode } from "./authorization/issue.ts";
import { processAuthorizationRequest } from "./authorization/process-authorization-request.ts";
import { readTicketInfo } from "./authorization/ticket-info.ts";
import { updateTicketInfo } from "./authorization/ticket-update.ts";
import type { Dependencies } from "./dependencies.ts";
import { configurationOfService } from "./discovery/service-configuration.ts";
import { jwksOfService } from "./discovery/service-jwks.ts";
import { createEventFollower } from "./invalidation/event-follower.ts";
import { introspectStandard } from "./introspection/introspect-standard.ts";
import { introspect } from "./introspection/introspect.ts";
import { createSettings, type Service, type Settings } from "./management/settings-memo.ts";
import { revoke } from "./revocation/revoke.ts";
import { failToken } from "./token/fail-token.ts";
import { issueToken } from "./token/issue-token.ts";
import { processTokenRequest } from "./token/process-token-request.ts";
import { issueUserInfo } from "./userinfo/issue-userinfo.ts";
import { processUserInfoRequest } from "./userinfo/process-userinfo-request.ts";
import { createToken } from "./token-management/create-token.ts";
import { deleteToken } from "./token-management/delete-token.ts";
import { listTokens } from "./token-management/list-tokens.ts";
import { revokeTokens } from "./token-management/revoke-tokens.ts";
import { updateToken } from "./token-management/update-token.ts";

/** The operations that act for a service. */
export type ServiceOperations = Omit<Operations, "info">;

/** The decisions: knows OAuth, neither HTTP nor SQL. */
export interface Engine {
  authenticateApiCaller(credentials: ApiCallerCredentials): Promise<ApiCaller>;
  /** The API as that service may use it, with its settings as of each call; requests have been read already. */
  operationsFor(serviceId: number): ServiceOperations;
  /** Says that a command with invalidation events was carried out here: the streams learn of it a little sooner. */
  hintEvents(): void;
  /** Ends every stream of invalidation events, for good. */
  endStreams(): void;
}

/** There is no such service, or none any more. */
export class ServiceUnknown extends TypeError {
  override readonly name = "ServiceUnknown";
}

/** Services whose operations are remembered. */
const mostRemembered = 1000;

/** Puts the decisions together with what they are handed. */
export function createEngine(dependencies: Dependencies): Engine {
  const settings = createSettings(dependencies);
  const follower = createEventFollower(dependencies);
  return {
    authenticateApiCaller: (credentials) => authenticateApiCaller(settings, credentials),
    operationsFor: rememberingEach((serviceId) => {
      const current = (): Promise<Service> => currentService(settings, serviceId);
      return {
        authAuthorization: async (request) =>
          processAuthorizationRequest(dependencies, settings, await current(), request),
        authAuthorizationIssue: async (request) =>
          issueAuthorizationCode(dependencies, settings, await current(), request),
        authAuthorizationFail: async (request) => failAuthorization(dependencies, settings, await current(), request),
        authAuthorizationTicketInfo: async (request) => readTicketInfo(dependencies, await current(), request),
        authAuthorizationTicketUpdate: async (request) => updateTicketInfo(dependencies, await current(), request),
        authToken: async (request) => processTokenRequest(dependencies, settings, await current(), request),
        authTokenIssue: async (request) => issueToken(dependencies, settings, await current(), request),
        authTokenFail: async (request) => failToken(dependencies, await current(), request),
        authTokenCreate: async (request) => createToken(dependencies, settings, await current(), request),
        authTokenUpdate: async (request) => updateToken(dependencies, await current(), request),
        authTokenDelete: async (request) => deleteToken(dependencies, await current(), request),
        authTokenRevoke: async (request) => revokeTokens(dependencies, settings, await current(), request),
        authTokenGetList: async (request) => listTokens(dependencies, settings, await current(), request),
        serviceConfiguration: async (request) => configurationOfService(await current(), request),
        serviceConfigurationPost: async (request) => configurationOfService(await current(), request),
        serviceJwksGet: async (request) => jwksOfService(await current(), request),
        authIntrospection: async (request) => introspect(dependencies, settings, await current(), request),
        authIntrospectionStandard: async (request) =>
          introspectStandard(dependencies, settings, await current(), request),
        authRevocation: async (request) => revoke(dependencies, settings, await current(), request),
        authUserinfo: async (request) => processUserInfoRequest(dependencies, settings, await current(), request),
        authUserinfoIssue: async (request) => issueUserInfo(dependencies, settings, await current(), request),
        async *authIntrospectionEvents(request, { signal }) {
          await current();
          yield* follower.open(serviceId, request, signal);
        },
      };
    }),
    hintEvents: () => {
      follower.hint();
    },
    endStreams: () => {
      follower.close();
    },
  };
}

async function currentService(settings: Settings, serviceId: number): Promise<Service> {
  const service = await settings.service(serviceId);
  if (service === undefined) throw new ServiceUnknown(`There is no service ${serviceId}.`);
  return service;
}

/** Each request of a service takes the same two dozen methods: they hold no settings, so they are made once. */
function rememberingEach(create: (serviceId: number) => ServiceOperations): Engine["operationsFor"] {
  const remembered = new Map<number, ServiceOperations>();
  return (serviceId) => {
    const known = remembered.get(serviceId);
    if (known !== undefined) return known;
    if (remembered.size >= mostRemembered) remembered.clear();
    const made = create(serviceId);
    remembered.set(serviceId, made);
    return made;
  };
}
