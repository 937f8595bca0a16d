import { isIP } from "node:net";

/** Addresses that have their first bits in common. */
export interface IpNetwork {
  readonly address: string;
  readonly family: "ipv4" | "ipv6";
  /** How many bits they have in common: 32 or 128 for one address. */
  readonly prefix: number;
}

/** What is wrong with the text of a network, in words for whoever configures it. */
export type IpNetworkProblem =
  | "is no IP address and no network"
  | "has an impossible prefix length"
  | "means everyone"
  | "has bits set after its prefix"
  | "is IPv4 mapped into IPv6: write it as IPv4";

/**
 * Reads an address or a network in CIDR notation (RFC 4632 §3.1, RFC 4291 §2.3), IPv4 or IPv6.
 *
 * One network, one spelling: bits after the prefix must be zero, addresses have no zone, IPv4 is written as IPv4. A
 * prefix of 0 is no list of proxies.
 *
 * @example readIpNetwork("10.0.0.0/8") // { address: "10.0.0.0", family: "ipv4", prefix: 8 }
 */
export function readIpNetwork(text: string): IpNetwork | IpNetworkProblem {
  const [address = "", prefixText, rest] = text.split("/");
  const version = address.includes("%") ? 0 : isIP(address);
  if (version === 0 || rest !== undefined) return "is no IP address and no network";
  const width = version === 4 ? 32 : 128;
  if (prefixText !== undefined && !/^(0|[1-9]\d{0,2})$/.test(prefixText)) return "has an impossible prefix length";
  const prefix = prefixText === undefined ? width : Number(prefixText);
  if (prefix > width) return "has an impossible prefix length";
  if (prefix === 0) return "means everyone";
  const bits = version === 4 ? bitsOf4(address) : bitsOf6(address);
  if ((bits & ((1n << BigInt(width - prefix)) - 1n)) !== 0n) return "has bits set after its prefix";
  if (version === 6 && bits >> 32n === 0xffffn) return "is IPv4 mapped into IPv6: write it as IPv4";
  return { address, family: version === 4 ? "ipv4" : "ipv6", prefix };
}

function bitsOf4(address: string): bigint {
  return address.split(".").reduce((bits, octet) => (bits << 8n) | BigInt(octet), 0n);
}

function bitsOf6(address: string): bigint {
  const dotted = /[^:]+\.[^:]+$/.exec(address)?.[0];
  const tail = dotted === undefined ? [] : [bitsOf4(dotted) >> 16n, bitsOf4(dotted) & 0xffffn];
  const [before = "", after] = (dotted === undefined ? address : address.slice(0, -dotted.length - 1)).split("::");
  const groups = (half: string): bigint[] =>
    half
      .split(":")
      .filter((group) => group !== "")
      .map((group) => BigInt(`0x${group}`));
  const head = groups(before);
  const end = [...(after === undefined ? [] : groups(after)), ...tail];
  const zeros = Array<bigint>(8 - head.length - end.length).fill(0n);
  return [...head, ...zeros, ...end].reduce((bits, group) => (bits << 16n) | group, 0n);
}
