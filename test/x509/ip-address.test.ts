import { isIP } from "node:net";
import test from "ava";
import fc from "fast-check";
import { readIpAddress } from "../../src/x509/subject.ts";

for (const [text, octets] of [
  ["0.0.0.0", "00000000"],
  ["255.255.255.255", "ffffffff"],
  ["::", "00000000000000000000000000000000"],
  ["::1", "00000000000000000000000000000001"],
  ["1::", "00010000000000000000000000000000"],
  ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"],
  ["1:2:3:4:5:6:7::", "00010002000300040005000600070000"],
  ["1:2:3:4:5:6:7::8", undefined],
  ["::2:3:4:5:6:7:8", "00000002000300040005000600070008"],
  ["1:2:3:4:5:6:192.0.2.1", "000100020003000400050006c0000201"],
  ["64:ff9b::192.0.2.1", "0064ff9b0000000000000000c0000201"],
  ["FFFF::", "ffff0000000000000000000000000000"],
] as const) {
  test(`${text} is ${octets ?? "no address"}`, (t) => {
    const read = readIpAddress(text);
    t.is(read === undefined ? undefined : Buffer.from(read).toString("hex"), octets);
  });
}

test("the addresses are exactly those that Node accepts, without zones", (t) => {
  const pieces = fc.constantFrom(
    ":",
    "::",
    ".",
    "0",
    "1",
    "00",
    "01",
    "255",
    "256",
    "ffff",
    "0db8",
    "g",
    "1.2.3.4",
    "%1",
    " ",
  );
  const made = fc.array(pieces, { maxLength: 16 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(fc.oneof(made, fc.ipV4(), fc.ipV6(), fc.ipV4Extended()), (text) => {
      const length = readIpAddress(text)?.length;
      const kind = text.includes("%") ? 0 : isIP(text);
      return length === { 0: undefined, 4: 4, 6: 16 }[kind];
    }),
    { numRuns: 10_000 },
  );
  t.pass();
});

test("octets written as groups are read as they were", (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (octets) => {
      const groups = Buffer.from(octets).toString("hex").match(/.{4}/g) ?? [];
      return Buffer.compare(readIpAddress(groups.join(":")) ?? Buffer.alloc(0), octets) === 0;
    }),
  );
  t.pass();
});
