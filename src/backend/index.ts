/** Entry `certbound/backend`: the backend as a part of another program. */
export { openBackend, type Backend } from "./backend.ts";
export { ConfigurationError } from "./configuration/configuration-error.ts";
export type { Configuration } from "./configuration/configuration.ts";
export { configurationFrom, readConfiguration } from "./configuration/read-configuration.ts";
export type { BackendOptions } from "./open-engine.ts";
export { serveBackend, type ServedBackend } from "./serve-backend.ts";
export { StoreFailure } from "./store/store.ts";
