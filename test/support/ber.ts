import { element } from "./der-writer.ts";

/** A way to write an element that BER has and DER does not (X.690 §10.1). */
export type BerForm = "non-minimal length" | "indefinite length";

/** How many elements there are, those nested in them included; primitive ones are not looked into. */
export function countElements(der: Uint8Array): number {
  return parse(der).reduce(
    (count, { tag, content }) => count + 1 + (isConstructed(tag) ? countElements(content) : 0),
    0,
  );
}

/** The same value with the nth element (outermost first, in order) in a BER form, and every length around it put right. */
export function withBerForm(der: Uint8Array, nth: number, form: BerForm): Buffer {
  let seen = -1;
  const rewrite = (octets: Uint8Array): Buffer =>
    Buffer.concat(
      parse(octets).map(({ tag, content }) => {
        seen += 1;
        const chosen = seen === nth;
        const inner = isConstructed(tag) ? rewrite(content) : Buffer.from(content);
        return chosen ? berElement(tag, inner, form) : element(tag, inner);
      }),
    );
  return rewrite(der);
}

function berElement(tag: number, content: Buffer, form: BerForm): Buffer {
  if (form === "indefinite length") return Buffer.concat([Buffer.of(tag, 0x80), content, Buffer.of(0, 0)]);
  const { length } = content;
  return Buffer.concat([Buffer.of(tag, 0x83, length >> 16, (length >> 8) & 0xff, length & 0xff), content]);
}

function isConstructed(tag: number): boolean {
  return (tag & 0x20) !== 0;
}

/** Takes well-formed DER for granted. */
function parse(der: Uint8Array): { tag: number; content: Uint8Array }[] {
  const elements = [];
  for (let at = 0; at < der.length;) {
    const first = der[at + 1] ?? 0;
    const lengthOctets = first < 0x80 ? 0 : first & 0x7f;
    const start = at + 2 + lengthOctets;
    const length = lengthOctets === 0 ? first : Buffer.from(der.subarray(at + 2, start)).readUIntBE(0, lengthOctets);
    elements.push({ tag: der[at] ?? 0, content: der.subarray(start, start + length) });
    at = start + length;
  }
  return elements;
}
