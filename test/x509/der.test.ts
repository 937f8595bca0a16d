import test from "ava";
import fc from "fast-check";
import { childrenOf, contentOf, encodingOf, MalformedDer, readDer } from "../../src/x509/der.ts";
import { element, integer, sequence } from "../support/der-writer.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

for (const [what, octets] of Object.entries({
  "an empty SEQUENCE": "30 00",
  "a NULL": "05 00",
  "elements in a row": "30 06 02 01 05 01 01 ff",
  "a negative INTEGER": "02 01 ff",
  "an INTEGER that needs its zero": "02 02 00 80",
  "a tag of its context, constructed": "a0 03 02 01 02",
  "a tag of its context, primitive": "82 01 61",
  "octets that look like BER inside an OCTET STRING": "04 02 30 80",
})) {
  test(`reads ${what}`, (t) => {
    t.is(readDer(hex(octets)).end, hex(octets).length);
  });
}

for (const [what, octets] of Object.entries({
  nothing: "",
  "a tag alone": "30",
  "a length cut short": "30 82 01",
  "content cut short": "30 02 05",
  "a child longer than its parent": "30 03 04 02 61",
  "an indefinite length": "30 80 00 00",
  "an indefinite length inside": "30 06 30 80 05 00 00 00",
  "the long form of a short length": "30 81 01 05",
  "a length with a leading zero": "04 82 00 80",
  "a length of four octets": "04 84 00 00 00 01",
  "the reserved length": "30 ff",
  "a tag of more octets": "1f 81 00 00",
  "a high tag number in its context": "bf 21 00",
  "an end-of-contents mark": "30 02 00 00",
  "a SEQUENCE that is primitive": "10 00",
  "a SET that is primitive": "30 02 11 00",
  "an OCTET STRING in pieces": "24 03 04 01 61",
  "a UTF8String in pieces": "2c 03 0c 01 61",
  "a BOOLEAN of another value": "01 01 01",
  "a BOOLEAN of two octets": "01 02 00 00",
  "an INTEGER of none": "02 00",
  "an INTEGER with a zero too many": "02 02 00 7f",
  "an INTEGER with ones too many": "02 02 ff 80",
})) {
  test(`refuses ${what}`, (t) => {
    const error = t.throws(() => readDer(hex(octets)), { instanceOf: MalformedDer });
    t.false(error.trailing);
  });
}

test("octets after the element are told apart from other faults", (t) => {
  t.true(t.throws(() => readDer(hex("05 00 00")), { instanceOf: MalformedDer }).trailing);
});

test("nesting is bounded: 32 levels are read, 33 are not, and 20,000 do no harm", (t) => {
  const nested = (levels: number): Buffer => {
    let octets: Buffer = Buffer.alloc(0);
    for (let level = 0; level < levels; level += 1) octets = sequence(octets);
    return octets;
  };
  t.notThrows(() => readDer(nested(32)));
  t.throws(() => readDer(nested(33)), { instanceOf: MalformedDer });
  t.throws(() => readDer(nested(20_000)), { instanceOf: MalformedDer });
});

test("children, contents and encodings are those that were written", (t) => {
  const parts = [integer(hex("01 00")), element(0x04, Buffer.alloc(300, 7)), sequence(integer(hex("05")))];
  const octets = sequence(...parts);
  const children = childrenOf(octets, readDer(octets));
  t.deepEqual(
    children.map((child) => Buffer.from(encodingOf(octets, child))),
    parts,
  );
  t.deepEqual(Buffer.from(contentOf(octets, children[1] ?? readDer(octets))), Buffer.alloc(300, 7));
});

test("lengths around each boundary are read as they were written", (t) => {
  for (const length of [0, 1, 127, 128, 255, 256, 65_535, 65_536]) {
    const octets = element(0x04, Buffer.alloc(length));
    t.is(contentOf(octets, readDer(octets)).length, length);
  }
});

test("any octets are read or refused, and nothing is read past their end", (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (octets) => {
      try {
        return readDer(octets).end === octets.length;
      } catch (error) {
        return error instanceof MalformedDer;
      }
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test("a thousand elements are read, wherever they stand, and no more", (t) => {
  const nulls = (count: number) => Array.from({ length: count }, () => Buffer.of(5, 0));
  const flat = (count: number) => sequence(...nulls(count - 1));
  const inGroups = (count: number) => sequence(...nulls((count - 1) % 10), ...tens(Math.floor((count - 1) / 10)));
  const tens = (count: number) => Array.from({ length: count }, () => sequence(...nulls(9)));
  for (const make of [flat, inGroups]) {
    t.notThrows(() => readDer(make(1000)));
    const error = t.throws(() => readDer(make(1001)), { instanceOf: MalformedDer });
    t.true(error.tooMany);
  }
});
