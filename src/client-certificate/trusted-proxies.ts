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
 * A peer whose certificate headers are trusted: an IP address, a network in CIDR notation, `"unix"` for any process
 * that connects to the unix socket of this server, or `{ certificate }` for a peer that proved in a TLS handshake with
 * this server to hold the key of this certificate, given as PEM text or as thumbprint (`x5t#S256`).
 */
export type TrustedProxy = string | { readonly certificate: string };

/** A list of proxies created by `trustedProxies`. */
export interface TrustedProxies {
  /** Whether a request comes directly from one of them; `undefined` if its connection has ended and this is unknown. */
  readonly sent: (request: Request) => boolean | undefined;
}

const made = new WeakSet<TrustedProxies>();
const certificateOf = tlsSocket();

/**
 * Lists the proxies whose certificate headers are trusted (RFC 9440 §4).
 *
 * Checks the peer of the connection, once per connection; never X-Forwarded-For, which anyone can write. An address
 * proves little on a shared network; there, the proxy should present a certificate of its own. Throws a `TypeError`
 * with a `code` for an empty list, a network with host bits, and a network of all addresses.
 *
 * @example trustedProxies(["127.0.0.1", "10.1.0.0/16", "unix", { certificate: proxyCertificatePem }])
 */
export function trustedProxies(list: readonly TrustedProxy[]): TrustedProxies {
  const given: unknown = list;
  if (!Array.isArray(given) || given.length === 0) throw optionError("trustedProxies", "must list at least one proxy");
  // Two lists: in a single one, a large IPv6 network could contain all IPv4 addresses, mapped into IPv6.
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

/** Whether a value was created, and so checked, by {@link trustedProxies}. */
export function isTrustedProxies(value: unknown): value is TrustedProxies {
  return typeof value === "object" && value !== null && made.has(value as TrustedProxies);
}

interface Networks {
  readonly ipv4: BlockList;
  readonly ipv6: BlockList;
}

function addNetwork(networks: Networks, text: string, option: string): void {
  if (/^(?:unix:)?\//.test(text)) throw optionError(option, 'is a path: write "unix"');
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

/** For a socket that listens on IPv4 and IPv6, Node reports an IPv4 peer as `::ffff:192.0.2.1`. */
function isListed({ ipv4, ipv6 }: Networks, address: string): boolean {
  const mapped = /^::ffff:/i.test(address) ? address.slice(7) : address;
  return isIPv4(mapped) ? ipv4.check(mapped, "ipv4") : ipv6.check(address, "ipv6");
}

/**
 * Checks what the server listens on: a reset TCP connection has no address either, and must not be taken for a unix
 * socket. A listener inherited as a file descriptor has no path and is not accepted; nor is an abstract socket of
 * Linux, which has no file and no permissions, so every process on the machine can connect.
 */
function isUnix(socket: Socket): boolean {
  const { server } = socket as Socket & { readonly server?: { address?(): unknown } | null };
  const address = server?.address?.();
  return typeof address === "string" && !address.startsWith("\0");
}

/** A network of addresses with a common prefix. */
interface IpNetwork {
  readonly address: string;
  readonly family: "ipv4" | "ipv6";
  /** The length of the prefix in bits: 32 or 128 for a single address. */
  readonly prefix: number;
}

/** What is wrong with the text of a network, as the predicate of an error message. */
type IpNetworkProblem =
  | "is not an IP address or network"
  | "has an impossible prefix length"
  | "means everyone"
  | "has bits set after its prefix"
  | "is IPv4 mapped into IPv6: write it as IPv4";

/**
 * Reads an address or a network in CIDR notation (RFC 4632 §3.1, RFC 4291 §2.3), IPv4 or IPv6.
 *
 * Each network has one spelling: bits after the prefix must be zero, addresses have no zone, IPv4 is written as IPv4. A
 * prefix of 0 is rejected, because it means all addresses.
 *
 * @example readIpNetwork("10.0.0.0/8") // { address: "10.0.0.0", family: "ipv4", prefix: 8 }
 */
function readIpNetwork(text: string): IpNetwork | { readonly error: IpNetworkProblem } {
  const [address = "", prefixText, rest] = text.split("/");
  const version = address.includes("%") ? 0 : isIP(address);
  if (version === 0 || rest !== undefined) return { error: "is not an IP address or network" };
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
