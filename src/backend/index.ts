/** Entry `certbound/backend`: the backend as a part of another program. */
export type { CallOptions, OperationName, Operations, RequestOf, ResponseOf } from "../contract/operations.ts";
export { openBackend, type Backend } from "./backend.ts";
export type { CallRecord } from "./call-record.ts";
export { ConfigurationError, type Problem } from "./configuration/configuration-error.ts";
export type { Configuration, ConfiguredService } from "./configuration/configuration.ts";
export { configurationFrom, type ConfigurationPlace, readConfiguration } from "./configuration/read-configuration.ts";
export type { ClientSettings, ServiceSettings } from "./engine/settings/settings.ts";
export type { ObservedCall, OnCall } from "./observed-call.ts";
export type { BackendOptions, Removable } from "./open-engine.ts";
export { serveBackend, type ReloadOptions, type ServedBackend } from "./serve-backend.ts";
export { StoreFailure } from "./store/store.ts";
