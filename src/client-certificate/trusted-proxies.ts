import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import { BlockList, isIP, isIPv4, type Socket } from "node:net";
import { isThumbprint } from "../oauth/confirmation.ts";
import { optionError } from "../options/option-error.ts";
import { MalformedCertificate } from "../x509/malformed-certificate.ts";
import { readCertificates } from "../x509/read-certificate.ts";
import { peerSocketOf, tlsSocket } from "./tls-socket.ts";

type Request = IncomingMessage | Http2ServerRequest;

/**
 * One peer that may say which certificate a client has: an IP address, a network in CIDR notation, `"unix"` for whoever
 * reaches the unix socket that this server listens on, or whoever has proved in a TLS handshake with this server
 * to hold the key of a certificate, named by its PEM text or by its thumbprint (`x5t#S256`).
 */
export type TrustedProxy = string | { readonly certificate: string };

/** A list of proxies that `trustedProxies` made. */
export interface TrustedProxies {
  /** Whether a request comes straight from one of them; `undefined`: its connection has ended, and nobody knows. */
  readonly sent: (request: Request) => boolean | undefined;
}

const made = new WeakSet<TrustedProxies>();
const certificateOf = tlsSocket();

/**
 * Lists the proxies whose word on a client's certificate counts (RFC 9440 §4); a peer that is any of them is trusted.
 *
 * What is judged is the peer of the connection, once for each connection: never X-Forwarded-For, which anyone writes.
 * An address proves little on a network that others are on; there, let the proxy show a certificate of its own.
 * Throws a `TypeError` with a `code` for an empty list, a network with host bits and one that means everyone.
 *
 * @example trustedProxies(["127.0.0.1", "10.1.0.0/16", "unix", { certificate: proxyCertificatePem }])
 */
export function trustedProxies(list: readonly TrustedProxy[]): TrustedProxies {
  const given: unknown = list;
  if (!Array.isArray(given) || given.length === 0) throw optionError("trustedProxies", "must list at least one proxy");
  // Two lists: in one, an IPv6 network of many addresses would hold all of IPv4, mapped into it.
  const networks = { ipv4: new BlockList(), ipv6: new BlockList() };
  const thumbprints = new Set<string>();
  let unix = false;
  for (const [at, proxy] of list.entries()) {
    if (proxy === "unix") unix = true;
    else if (typeof proxy === "string") addNetwork(networks, proxy, `trustedProxies[${at}]`);
    else thumbprints.add(readThumbprint(proxy, `trustedProxies[${at}]`));
  }

  function isTrusted(request: Request, socket: Socket): boolean | undefined {
    if (thumbprints.size > 0) {
      const certificate = certificateOf(request);
      if (certificate !== undefined && "x5tS256" in certificate && thumbprints.has(certificate.x5tS256)) return true;
    }
    if (isUnix(socket)) return unix;
    const { remoteAddress } = socket;
    return remoteAddress === undefined ? undefined : isListed(networks, remoteAddress);
  }

  const known = new WeakMap<object, boolean>();
  const proxies: TrustedProxies = Object.freeze({
    sent(request: Request) {
      const socket = peerSocketOf(request);
      if (socket === undefined) return undefined;
      const before = known.get(socket);
      if (before !== undefined) return before;
      const trusted = isTrusted(request, socket as Socket);
      if (trusted !== undefined) known.set(socket, trusted);
      return trusted;
    },
  });
  made.add(proxies);
  return proxies;
}

/** Whether a value is a list that {@link trustedProxies} made, and so has been checked. */
export function isTrustedProxies(value: unknown): value is TrustedProxies {
  return typeof value === "object" && value !== null && made.has(value as TrustedProxies);
}

interface Networks {
  readonly ipv4: BlockList;
  readonly ipv6: BlockList;
}

function addNetwork(networks: Networks, text: string, option: string): void {
  if (/^(?:unix:)?\//.test(text)) throw optionError(option, 'is a path: say "unix"');
  const network = readIpNetwork(text);
  if ("error" in network) throw optionError(option, network.error);
  networks[network.family].addSubnet(network.address, network.prefix, network.family);
}

function readThumbprint(proxy: TrustedProxy, option: string): string {
  const given: unknown = proxy;
  if (typeof given !== "object" || given === null || Object.keys(given).join() !== "certificate") {
    throw optionError(option, 'must be an address, a network, "unix" or { certificate }');
  }
  const { certificate } = given as { readonly certificate: unknown };
  if (isThumbprint(certificate)) return certificate;
  if (typeof certificate !== "string") throw optionError(`${option}.certificate`, "must be PEM text or a thumbprint");
  const path = `${option}.certificate`;
  try {
    const [first, ...others] = readCertificates(certificate);
    if (others.length === 0) return first.x5tS256;
  } catch (error) {
    if (!(error instanceof MalformedCertificate)) throw error;
  }
  throw optionError(path, "must be the PEM text of one certificate, or its x5t#S256");
}

/** An IPv4 peer of a socket that listens on both is `::ffff:192.0.2.1` to Node. */
function isListed({ ipv4, ipv6 }: Networks, address: string): boolean {
  const mapped = /^::ffff:/i.test(address) ? address.slice(7) : address;
  return isIPv4(mapped) ? ipv4.check(mapped, "ipv4") : ipv6.check(address, "ipv6");
}

/**
 * By what the server listens on: a TCP connection that was reset has no address either, and must not pass for a unix
 * socket. A listener that was inherited as a file descriptor has no path, and is none here; nor is one of Linux's
 * abstract sockets, which has no file, and so no permissions: whoever is on the machine reaches it.
 */
function isUnix(socket: Socket): boolean {
  const { server } = socket as Socket & { readonly server?: { address?(): unknown } | null };
  const address = server?.address?.();
  return typeof address === "string" && !address.startsWith("\0");
}

/** Addresses that have their first bits in common. */
interface IpNetwork {
  readonly address: string;
  readonly family: "ipv4" | "ipv6";
  /** How many bits they have in common: 32 or 128 for one address. */
  readonly prefix: number;
}

/** What is wrong with the text of a network, in words for whoever configures it. */
type IpNetworkProblem =
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
function readIpNetwork(text: string): IpNetwork | { readonly error: IpNetworkProblem } {
  const [address = "", prefixText, rest] = text.split("/");
  const version = address.includes("%") ? 0 : isIP(address);
  if (version === 0 || rest !== undefined) return { error: "is no IP address and no network" };
  const width = version === 4 ? 32 : 128;
  if (prefixText !== undefined && !/^(0|[1-9]\d{0,2})$/.test(prefixText)) {
    return { error: "has an impossible prefix length" };
  }
  const prefix = prefixText === undefined ? width : Number(prefixText);
  if (prefix > width) return { error: "has an impossible prefix length" };
  if (prefix === 0) return { error: "means everyone" };
  const bits = version === 4 ? bitsOf4(address) : bitsOf6(address);
  if ((bits & ((1n << BigInt(width - prefix)) - 1n)) !== 0n) return { error: "has bits set after its prefix" };
  if (version === 6 && bits >> 32n === 0xffffn) return { error: "is IPv4 mapped into IPv6: write it as IPv4" };
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
