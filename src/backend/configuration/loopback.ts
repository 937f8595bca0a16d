import { BlockList, isIP } from "node:net";

const addresses = new BlockList();
addresses.addSubnet("127.0.0.0", 8, "ipv4");
addresses.addAddress("::1", "ipv6");

/**
 * Whether a host is this machine and reaches no network: `localhost`, 127.0.0.0/8, ::1, and IPv4 written as IPv6.
 *
 * @example isLoopback("0.0.0.0") // false
 */
export function isLoopback(host: string): boolean {
  const version = isIP(host);
  if (version === 0) return host.toLowerCase() === "localhost";
  return addresses.check(host, version === 4 ? "ipv4" : "ipv6");
}
