import { ConfigurationError } from "../backend/configuration/configuration-error.ts";
import { StoreFailure } from "../backend/store/store.ts";

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: "something else listens there already",
  EACCES: "this user may not listen there",
  EADDRNOTAVAIL: "this machine has no such address",
  ENOTFOUND: "there is no host of that name",
  ENOENT: "there is no such folder",
};

/**
 * Says in one text for the operator why a backend could not start; `undefined` for what is a bug of ours.
 *
 * @example explainStartFailure(error) // "cannot listen on 127.0.0.1:8705: something else listens there already (EADDRINUSE)"
 */
export function explainStartFailure(error: unknown): string | undefined {
  if (error instanceof ConfigurationError) return error.message;
  if (error instanceof StoreFailure) return error.message;
  return isListenError(error) ? explainListenError(error) : undefined;
}

type ListenError = NodeJS.ErrnoException & { readonly address?: string; readonly port?: number };

function isListenError(error: unknown): error is ListenError {
  if (!(error instanceof Error)) return false;
  const { syscall } = error as NodeJS.ErrnoException;
  return syscall === "listen" || syscall === "getaddrinfo";
}

function explainListenError({ code = "", address, hostname, port }: ListenError & { hostname?: string }): string {
  const place = [address ?? hostname ?? "the configured address", ...(port === undefined || port < 0 ? [] : [port])];
  return `cannot listen on ${place.join(":")}: ${reasons[code] ?? "the system refuses it"} (${code})`;
}
