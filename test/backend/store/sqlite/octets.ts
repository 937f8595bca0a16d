/** For `JSON.stringify`: octets survive the way to another process. */
export function writeOctets(this: unknown, name: string, value: unknown): unknown {
  const original = (this as Readonly<Record<string, unknown>>)[name];
  return original instanceof Uint8Array ? { octets: Buffer.from(original).toString("hex") } : value;
}

/** For `JSON.parse`: the way back. */
export function readOctets(_name: string, value: unknown): unknown {
  return typeof value === "object" && value !== null && "octets" in value && typeof value.octets === "string"
    ? Buffer.from(value.octets, "hex")
    : value;
}
