/** The position of a DER element in the octets it was read from. */
export interface DerElement {
  /** The identifier octet: class, primitive or constructed, and number (X.690 §8.1.2). */
  readonly tag: number;
  /** The first octet of the identifier. */
  readonly start: number;
  /** The first octet of the content. */
  readonly contentStart: number;
  /** The index after the last octet. */
  readonly end: number;
}

/**
 * The octets are not DER. `trailing`: octets follow the element. `tooMany`: there are more elements than the reader's
 * limit.
 */
export class MalformedDer extends Error {
  override readonly name = "MalformedDer";
  readonly trailing: boolean;
  readonly tooMany: boolean;

  constructor(problem: string, options: { readonly trailing?: boolean; readonly tooMany?: boolean } = {}) {
    super(problem);
    this.trailing = options.trailing === true;
    this.tooMany = options.tooMany === true;
  }
}

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  octetString: 0x04,
  bitString: 0x03,
  objectIdentifier: 0x06,
  sequence: 0x30,
  set: 0x31,
} as const;

/** A certificate needs about ten; deeper nesting is an attempt to exhaust the stack. */
const deepest = 32;

/**
 * A certificate has about a hundred. OpenSSL takes half a microsecond or more for each, and anyone can send a
 * certificate.
 */
const mostElements = 1000;

/**
 * Reads exactly one element and checks everything nested in it (X.690 §10): definite, minimal lengths; one-octet tags;
 * primitive strings; nothing after the element, nothing read past its end.
 *
 * Does not check the content of an OCTET STRING or a BIT STRING. Throws {@link MalformedDer}, also for more than 1000
 * elements.
 *
 * @example const certificate = readDer(octets); childrenOf(octets, certificate)
 */
export function readDer(octets: Uint8Array): DerElement {
  const element = readOutermost(octets);
  checkNested(octets, element, { depth: 1, left: mostElements - 1 });
  return element;
}

/** Like {@link readDer}, without checking what is inside the element. */
export function readOutermost(octets: Uint8Array): DerElement {
  const element = readElement(octets, 0, octets.length);
  if (element.end !== octets.length) throw new MalformedDer("there are octets after the element", { trailing: true });
  return element;
}

/**
 * Returns the direct children of a constructed element; throws {@link MalformedDer}, also when there are more than
 * `most`.
 */
export function childrenOf(octets: Uint8Array, parent: DerElement, most = mostElements): DerElement[] {
  const children: DerElement[] = [];
  for (let at = parent.contentStart; at < parent.end;) {
    if (children.length >= most) throw new MalformedDer("there are too many elements", { tooMany: true });
    const child = readElement(octets, at, parent.end);
    children.push(child);
    at = child.end;
  }
  return children;
}

/** Returns the content of an element; a view, not a copy. */
export function contentOf(octets: Uint8Array, element: DerElement): Uint8Array {
  return octets.subarray(element.contentStart, element.end);
}

/** Returns a whole element, including tag and length; a view, not a copy. */
export function encodingOf(octets: Uint8Array, element: DerElement): Uint8Array {
  return octets.subarray(element.start, element.end);
}

/** `left`: how many more elements may be read in total. */
interface Budget {
  depth: number;
  left: number;
}

function checkNested(octets: Uint8Array, element: DerElement, budget: Budget): void {
  if (!isConstructed(element.tag)) {
    checkPrimitive(octets, element);
    return;
  }
  if (budget.depth > deepest) throw new MalformedDer("it is nested too deeply");
  const children = childrenOf(octets, element, budget.left);
  budget.left -= children.length;
  budget.depth += 1;
  for (const child of children) checkNested(octets, child, budget);
  budget.depth -= 1;
}

function readElement(octets: Uint8Array, start: number, end: number): DerElement {
  const tag = octetAt(octets, start, end);
  checkTag(tag);
  const first = octetAt(octets, start + 1, end);
  let contentStart = start + 2;
  let length = first;
  if (first >= 0x80) {
    // 0x80 alone is the indefinite form; more than three length octets exceed every size limit here.
    const count = first & 0x7f;
    if (count === 0 || count > 3) throw new MalformedDer("a length is indefinite or too long");
    length = 0;
    for (let octet = 0; octet < count; octet += 1) length = length * 256 + octetAt(octets, contentStart++, end);
    if (length < 0x80 || length < 256 ** (count - 1)) throw new MalformedDer("a length is not minimal");
  }
  if (length > end - contentStart) throw new MalformedDer("an element is longer than what it stands in");
  return { tag, start, contentStart, end: contentStart + length };
}

function octetAt(octets: Uint8Array, at: number, end: number): number {
  const octet = at < end ? octets[at] : undefined;
  if (octet === undefined) throw new MalformedDer("an element is cut short");
  return octet;
}

function isConstructed(tag: number): boolean {
  return (tag & 0x20) !== 0;
}

/** Of the universal types that a certificate may have, DER encodes only SEQUENCE and SET as constructed. */
function checkTag(tag: number): void {
  if ((tag & 0x1f) === 0x1f) throw new MalformedDer("a tag has more than one octet");
  const universal = (tag & 0xc0) === 0;
  if (!universal) return;
  if (tag === 0) throw new MalformedDer("there is an end-of-contents mark");
  const structured = (tag & 0x1f) === 0x10 || (tag & 0x1f) === 0x11;
  if (isConstructed(tag) !== structured) throw new MalformedDer("a type is not in its one DER form");
}

function checkPrimitive(octets: Uint8Array, { tag, contentStart, end }: DerElement): void {
  const [first = 0, second = 0] = octets.subarray(contentStart, end);
  const length = end - contentStart;
  if (tag === tags.boolean && (length !== 1 || (first !== 0 && first !== 0xff))) {
    throw new MalformedDer("a BOOLEAN is neither of its two DER values");
  }
  if (tag !== tags.integer) return;
  const padded = (first === 0 && second < 0x80) || (first === 0xff && second >= 0x80);
  if (length === 0 || (length > 1 && padded)) throw new MalformedDer("an INTEGER is not minimal");
}
