import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { isTrustedProxies, type TrustedProxies } from "../client-certificate/trusted-proxies.ts";
import { optionError } from "../options/option-error.ts";

/** Returns the address that a request came from, without port; `undefined` if unknown (a unix socket). */
export type AddressSource = (request: IncomingMessage) => string | undefined;

/** The options of `forwardedAddress`. */
export interface ForwardedAddressOptions {
  /** The proxies whose header is trusted; required. */
  readonly from: TrustedProxies;
  /** The header in which the proxy writes its peer's address; default: `X-Forwarded-For`. */
  readonly header?: string;
}

/**
 * Returns the address of the connection's peer. A header would only be the client's claim.
 *
 * @example peerAddress(request) // "192.0.2.1"
 */
export function peerAddress({ socket }: Pick<IncomingMessage, "socket">): string | undefined {
  return withoutMapping(socket.remoteAddress);
}

/**
 * Reads the client's address from a proxy's header: the last address, which the proxy has added itself; earlier ones are
 * the client's claims. If the peer is not a listed proxy, or the header has no address, returns the peer's address. Throws a
 * `TypeError` with a `code` for wrong options.
 *
 * @example nodeHandler(endpoints, { address: forwardedAddress({ from: trustedProxies(["10.0.0.7"]) }) })
 */
export function forwardedAddress({ from, header = "X-Forwarded-For" }: ForwardedAddressOptions): AddressSource {
  if (!isTrustedProxies(from)) throw optionError("from", "must be trustedProxies([…])");
  if (typeof header !== "string" || !/^[A-Za-z0-9-]+$/.test(header) || header.toLowerCase() === "forwarded") {
    throw optionError("header", "must be the name of a header with a list of addresses");
  }
  const name = header.toLowerCase();
  return (request) => {
    const named = from.sent(request) === true ? lastAddress(request.headersDistinct[name]?.at(-1)) : undefined;
    return named ?? peerAddress(request);
  };
}

/** `192.0.2.1`, `192.0.2.1:1234`, `2001:db8::1`, `[2001:db8::1]:1234`. */
function lastAddress(list: string | undefined): string | undefined {
  const last = list?.split(",").at(-1)?.trim() ?? "";
  const bare = /^\[(.*)\](?::\d+)?$/.exec(last)?.[1] ?? /^([\d.]+):\d+$/.exec(last)?.[1] ?? last;
  return isIP(bare) === 0 ? undefined : withoutMapping(bare);
}

/** An IPv4 peer of a socket that listens on both is `::ffff:192.0.2.1` to Node. */
function withoutMapping(address: string | undefined): string | undefined {
  return address?.replace(/^::ffff:(?=[\d.]+$)/i, "");
}
