const ipv4 = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;
const ipv6Group = /^[0-9A-Fa-f]{1,4}$/;

/**
 * The 4 or 16 octets of an IP address, as a certificate has them (RFC 5280 §4.2.1.6).
 *
 * IPv4 in dotted decimal without leading zeros (an octal reading exists), IPv6 however abbreviated (RFC 4291 §2.2).
 * `undefined` for everything else: zone ids, prefixes, brackets, blanks.
 *
 * @example readIpAddress("2001:db8::1")
 */
export function readIpAddress(text: string): Uint8Array | undefined {
  return text.includes(":") ? readIpv6(text) : readIpv4(text);
}

function readIpv4(text: string): Uint8Array | undefined {
  const octets = ipv4.exec(text)?.slice(1).map(Number);
  return octets?.every((octet) => octet <= 255) === true ? Uint8Array.from(octets) : undefined;
}

function readIpv6(text: string): Uint8Array | undefined {
  const [before, after, ...others] = text.split("::");
  const head = readGroups(before ?? "", after === undefined);
  if (head === undefined || others.length > 0) return undefined;
  if (after === undefined) return head.length === 16 ? Uint8Array.from(head) : undefined;
  const tail = readGroups(after, true);
  // What :: stands for is one group of zeros at least.
  if (tail === undefined || head.length + tail.length > 14) return undefined;
  const zeros = Array<number>(16 - head.length - tail.length).fill(0);
  return Uint8Array.from([...head, ...zeros, ...tail]);
}

/** The octets of one side of `::`; the last 4 of an address may be written as IPv4. */
function readGroups(text: string, last: boolean): readonly number[] | undefined {
  if (text === "") return [];
  const octets: number[] = [];
  const groups = text.split(":");
  for (const [index, group] of groups.entries()) {
    if (ipv6Group.test(group)) {
      const value = Number.parseInt(group, 16);
      octets.push(value >> 8, value & 0xff);
      continue;
    }
    const embedded = last && index === groups.length - 1 ? readIpv4(group) : undefined;
    if (embedded === undefined) return undefined;
    octets.push(...embedded);
  }
  return octets;
}
