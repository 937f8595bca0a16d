/** An operation of the API that this backend does not support; calls get 403 `A001223`, as JSON. */
export interface UnsupportedOperation {
  readonly methods: readonly ("GET" | "POST" | "PUT" | "DELETE")[];
  /** Below `/api/{serviceId}` in the v3 shape and below `/api` in the v2 shape; `{…}` is one segment. */
  readonly path: `/${string}`;
  /** The only shape that has it; default: both. `open`: below `/api`, without credentials. */
  readonly only?: "v2" | "v3" | "open";
}

/**
 * Operations of Authlete's API beyond {@link operations}, so that callers get a helpful error.
 *
 * Remove an operation when it is implemented; a test checks that the two tables do not overlap.
 */
export const unsupportedOperations: readonly UnsupportedOperation[] = [
  { methods: ["POST"], path: "/auth/token/create/batch", only: "v3" },
  { methods: ["GET"], path: "/auth/token/create/batch/status", only: "v3" },
  { methods: ["POST"], path: "/idtoken/reissue" },
  { methods: ["POST"], path: "/pushed_auth_req" },
  // Without a service id in either shape, because the service does not exist yet.
  { methods: ["POST"], path: "/service/create", only: "v2" },
  { methods: ["GET"], path: "/service/get/list", only: "v2" },
  { methods: ["GET"], path: "/service/get/{apiKey}", only: "v2" },
  { methods: ["GET"], path: "/service/get", only: "v3" },
  { methods: ["POST"], path: "/service/update/{apiKey}", only: "v2" },
  { methods: ["POST"], path: "/service/update", only: "v3" },
  { methods: ["DELETE"], path: "/service/delete/{apiKey}", only: "v2" },
  { methods: ["DELETE"], path: "/service/delete", only: "v3" },
  { methods: ["POST"], path: "/client/create" },
  { methods: ["GET"], path: "/client/get/{clientIdentifier}" },
  { methods: ["POST"], path: "/client/update/{clientIdentifier}" },
  { methods: ["DELETE"], path: "/client/delete/{clientIdentifier}" },
  { methods: ["GET"], path: "/client/secret/refresh/{clientIdentifier}" },
  { methods: ["POST"], path: "/client/secret/update/{clientIdentifier}" },
  { methods: ["POST"], path: "/client/lock_flag/update/{clientIdentifier}" },
  { methods: ["GET"], path: "/client/extension/requestable_scopes/get/{clientIdentifier}" },
  { methods: ["POST", "PUT"], path: "/client/extension/requestable_scopes/update/{clientIdentifier}" },
  { methods: ["DELETE"], path: "/client/extension/requestable_scopes/delete/{clientIdentifier}" },
  { methods: ["GET", "POST"], path: "/client/granted_scopes/get/{clientIdentifier}" },
  { methods: ["GET", "POST"], path: "/client/granted_scopes/get/{clientIdentifier}/{subject}" },
  { methods: ["POST", "DELETE"], path: "/client/granted_scopes/delete/{clientIdentifier}" },
  { methods: ["POST", "DELETE"], path: "/client/granted_scopes/delete/{clientIdentifier}/{subject}" },
  { methods: ["GET", "POST"], path: "/client/authorization/get/list" },
  { methods: ["GET", "POST"], path: "/client/authorization/get/list/{subject}" },
  { methods: ["POST"], path: "/client/authorization/update/{clientIdentifier}" },
  { methods: ["POST", "DELETE"], path: "/client/authorization/delete/{clientIdentifier}" },
  { methods: ["POST", "DELETE"], path: "/client/authorization/delete/{clientIdentifier}/{subject}" },
  { methods: ["POST"], path: "/client/registration" },
  { methods: ["POST"], path: "/client/registration/get" },
  { methods: ["POST"], path: "/client/registration/update" },
  { methods: ["POST"], path: "/client/registration/delete" },
  { methods: ["POST"], path: "/gm" },
  { methods: ["POST"], path: "/hsk/create" },
  { methods: ["GET"], path: "/hsk/get/{handle}" },
  { methods: ["GET", "DELETE"], path: "/hsk/delete/{handle}" },
  { methods: ["POST"], path: "/jose/verify" },
  { methods: ["GET"], path: "/misc/echo", only: "open" },
];
