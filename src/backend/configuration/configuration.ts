import type { ClientSettings, ServiceSettings } from "../engine/settings/settings.ts";

/** The complete, checked configuration of a backend. It contains secrets: never log it. */
export interface Configuration {
  readonly listen: Listen;
  readonly store: StoreLocation;
  /** 32 octets, the key of all secrets at rest; `undefined` only with a store in memory: the backend then draws one. */
  readonly secretKey: Uint8Array | undefined;
  readonly log: { readonly level: LogLevel; readonly format?: LogFormat };
  readonly events: EventSettings;
  readonly sweep: SweepSettings;
  readonly services: readonly ConfiguredService[];
  /** Sentences for the operator: accepted, but perhaps not meant. */
  readonly warnings: readonly string[];
}

/** A service and its registered clients. */
export interface ConfiguredService {
  readonly settings: ServiceSettings;
  readonly clients: readonly ClientSettings[];
}

export type Listen = ListenOnAddress | ListenOnSocket;

/** Without `tls` only loopback addresses are allowed, and with `behindTls` addresses behind a TLS terminator. */
export interface ListenOnAddress {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly tls?: ListenTls;
  readonly behindTls: boolean;
}

/** A unix socket, as an absolute path. */
interface ListenOnSocket {
  readonly unix: string;
}

/** PEM texts: the certificate may be followed by its chain. */
export interface ListenTls {
  readonly certificate: string;
  readonly key: string;
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
}

/** An absolute path, or `:memory:`. */
interface StoreLocation {
  readonly sqlite: string;
}

/** The stream of invalidation events; all in seconds. */
interface EventSettings {
  /** From one poll of the store to the next; each ends with a heartbeat to every watcher. */
  readonly heartbeatInterval: number;
  /** A watcher that was away for longer clears its cache. */
  readonly retention: number;
}

/** The deletion of expired rows; all in seconds. */
export interface SweepSettings {
  readonly interval: number;
  /** Introspection reports an expired token as "expired" for this long; then the token is unknown. */
  readonly expiredRetention: number;
}

/** The defaults of the file. */
export const processDefaults: { readonly events: EventSettings; readonly sweep: SweepSettings } = {
  events: { heartbeatInterval: 0.25, retention: 3600 },
  sweep: { interval: 60, expiredRetention: 600 },
};

export type LogLevel = "silent" | "fatal" | "error" | "warn" | "info" | "debug" | "trace";

/** `auto`: text for people on a terminal, JSON everywhere else. */
export type LogFormat = "json" | "text" | "auto";

/**
 * Whether a client's authentication rests on path validation, so that the `openssl` command must be there.
 *
 * @example if (needsChainVerification(configuration)) await checkOpenssl();
 */
export function needsChainVerification(configuration: Configuration): boolean {
  return configuration.services.some(
    ({ settings, clients }) =>
      settings.mutualTlsValidatePkiCertChain && clients.some((client) => client.tokenAuthMethod === "TLS_CLIENT_AUTH"),
  );
}
