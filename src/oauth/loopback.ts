import { BlockList, isIP } from "node:net";

const addresses = new BlockList();
addresses.addSubnet("127.0.0.0", 8, "ipv4");
addresses.addAddress("::1", "ipv6");

/**
 * Whether a host reaches this machine only: `localhost`, 127.0.0.0/8, ::1 (RFC 8252 §7.3), and IPv4 written as IPv6. An
 * IPv6 address may have the brackets of a URL. The name `localhost` is not resolved.
 *
 * @example isLoopback(new URL("http://[::1]:8705").hostname) // true
 */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, "$1");
  const version = isIP(address);
  if (version === 0) return host.toLowerCase() === "localhost";
  return addresses.check(address, version === 4 ? "ipv4" : "ipv6");
}
