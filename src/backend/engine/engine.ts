import type { ApiCallerCredentials } from "../../contract/operation.ts";
import type { NotedCall, ServiceOperations } from "../service-operations.ts";
import { failAuthorization } from "./authorization/fail.ts";
import { issueAuthorizationCode } from "./authorization/issue.ts";
import { processAuthorizationRequest } from "./authorization/process-authorization-request.ts";
import { readTicketInfo, updateTicketInfo } from "./authorization/ticket-info.ts";
import type { Context } from "./context.ts";
import type { Dependencies } from "./dependencies.ts";
import { configurationOfService, jwksOfService } from "./discovery/metadata.ts";
import { introspectStandard } from "./introspection/introspect-standard.ts";
import { introspect } from "./introspection/introspect.ts";
import { createEventFollower } from "./invalidation/event-follower.ts";
import { revoke } from "./revocation/revoke.ts";
import { type ApiCaller, authenticateApiCaller } from "./settings/authenticate-api-caller.ts";
import { createSettings, type Service, type Settings } from "./settings/service-and-client.ts";
import { createToken } from "./token-management/create-token.ts";
import { listTokens } from "./token-management/list-tokens.ts";
import { deleteToken, revokeTokens } from "./token-management/revoke-tokens.ts";
import { updateToken } from "./token-management/update-token.ts";
import { failToken } from "./token/fail-token.ts";
import { issueToken } from "./token/issue-token.ts";
import { processTokenRequest } from "./token/process-token-request.ts";
import { issueUserInfo } from "./userinfo/issue-userinfo.ts";
import { processUserInfoRequest } from "./userinfo/process-userinfo-request.ts";

export type { ServiceOperations } from "../service-operations.ts";

/** The decisions: knows OAuth, neither HTTP nor SQL. */
export interface Engine {
  authenticateApiCaller(credentials: ApiCallerCredentials): Promise<ApiCaller>;
  /** The API as that service may use it, with its settings as of each call; requests have been read already. */
  operationsFor(serviceId: number): ServiceOperations;
  /** The same for a service that has just been read, to authenticate the caller: its first decision reads it no second time. */
  operationsOf(service: Service): ServiceOperations;
  /** Says that a command with invalidation events was carried out here: the streams learn of it a little sooner. */
  hintEvents(): void;
  /** Ends every stream of invalidation events permanently. */
  endStreams(): void;
}

/** The service is unknown or was deleted. */
export class ServiceUnknown extends TypeError {
  override readonly name = "ServiceUnknown";
}

type Answered = Omit<ServiceOperations, "authIntrospectionEvents">;

/** Every operation that answers once. */
const operations: { readonly [Name in keyof Answered]: Decision<Answered[Name]> } = {
  authAuthorization: processAuthorizationRequest,
  authAuthorizationIssue: issueAuthorizationCode,
  authAuthorizationFail: failAuthorization,
  authAuthorizationTicketInfo: readTicketInfo,
  authAuthorizationTicketUpdate: updateTicketInfo,
  authToken: processTokenRequest,
  authTokenIssue: issueToken,
  authTokenFail: failToken,
  authTokenCreate: createToken,
  authTokenUpdate: updateToken,
  authTokenDelete: deleteToken,
  authTokenRevoke: revokeTokens,
  authTokenGetList: listTokens,
  serviceConfiguration: ({ service }, request) => configurationOfService(service, request),
  serviceConfigurationPost: ({ service }, request) => configurationOfService(service, request),
  serviceJwksGet: ({ service }, request) => jwksOfService(service, request),
  authIntrospection: introspect,
  authIntrospectionStandard: introspectStandard,
  authRevocation: revoke,
  authUserinfo: processUserInfoRequest,
  authUserinfoIssue: issueUserInfo,
};

type Decision<Operation extends (...call: never[]) => unknown> = (
  context: Context,
  request: Parameters<Operation>[0],
) => ReturnType<Operation> | Awaited<ReturnType<Operation>>;

/** The operations, each with the context of its call. */
function inContext(contextOf: (call: NotedCall | undefined) => Promise<Context>): Answered {
  const bound = Object.entries(operations).map(([name, decide]) => [
    name,
    // The table pairs each name with its own operation; that is lost when its entries are listed.
    async (request: never, call?: NotedCall) => (decide as Decision<never>)(await contextOf(call), request),
  ]);
  return Object.fromEntries(bound) as Answered;
}

/** The most services whose operations are cached. */
const mostRemembered = 1000;

/** Puts the decisions together with what they are handed. */
export function createEngine(dependencies: Dependencies): Engine {
  const settings = createSettings(dependencies);
  const follower = createEventFollower(dependencies);
  const operationsOver = (serviceId: number, current: () => Promise<Service>): ServiceOperations => ({
    ...inContext(async (call) => {
      const service = await current();
      return { ...dependencies, settings, service, ...(call?.note !== undefined && { note: call.note }) };
    }),
    async *authIntrospectionEvents(request, { signal }) {
      await current();
      yield* follower.open(serviceId, request, signal);
    },
  });
  const ofServices = new WeakMap<Service, ServiceOperations>();
  return {
    authenticateApiCaller: (credentials) => authenticateApiCaller(settings, credentials),
    operationsFor: rememberingEach((serviceId) => operationsOver(serviceId, () => currentService(settings, serviceId))),
    operationsOf(service) {
      const known = ofServices.get(service);
      if (known !== undefined) return known;
      const operations = operationsOver(service.settings.apiKey, () => Promise.resolve(service));
      ofServices.set(service, operations);
      return operations;
    },
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

/** Every request of a service uses the same methods. They hold no settings, so they are created once. */
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
