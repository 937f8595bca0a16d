import { ConfigurationError, StoreFailure } from "../backend/index.ts";

type Reasons = Readonly<Record<string, string>>;

const reasonsOfAddresses: Reasons = {
  EADDRINUSE: "something else listens there already",
  EACCES: "this user may not listen there",
  EADDRNOTAVAIL: "this machine has no such address",
  ENOTFOUND: "the host name is unknown",
};

/** For a unix socket the system's codes are fewer and less precise. */
const reasonsOfPaths: Reasons = {
  EADDRINUSE: "something else listens there, or it is another file",
  EACCES: "there is no such folder, or this user may not write to it",
  EINVAL: "the path is too long for a unix socket",
};

/**
 * Explains to the operator why a backend could not start; `undefined` for a bug.
 *
 * @example explainStartFailure(error) // "cannot listen on 127.0.0.1:8705: something else listens there already (EADDRINUSE)"
 */
export function explainStartFailure(error: unknown): string | undefined {
  if (error instanceof ConfigurationError) return error.message;
  if (error instanceof StoreFailure) return error.message;
  return isListenError(error) ? explainListenError(error) : undefined;
}

/** `port` is -1 for a unix socket, whose path is `address`. */
interface ListenError extends NodeJS.ErrnoException {
  readonly address?: string;
  readonly hostname?: string;
  readonly port?: number;
}

function isListenError(error: unknown): error is ListenError {
  if (!(error instanceof Error)) return false;
  const { syscall } = error as NodeJS.ErrnoException;
  return syscall === "listen" || syscall === "getaddrinfo";
}

function explainListenError({ code = "", address, hostname, port }: ListenError): string {
  const place = address ?? hostname ?? "the configured address";
  const reasons = port === -1 ? reasonsOfPaths : reasonsOfAddresses;
  const where = port === undefined || port === -1 ? place : `${place}:${port}`;
  return `cannot listen on ${where}: ${reasons[code] ?? "the system refuses it"} (${code})`;
}
