import { readFileSync } from "node:fs";
import test from "ava";
import { readByteSequence, readCertificateItem } from "../../../src/client-certificate/encodings/byte-sequence.ts";
import { withBerForm } from "../../support/ber.ts";
import { createSelfSigned } from "../../support/certificates.ts";
import { der, vector, x5tS256 } from "../certificate-vectors.ts";

interface Vector {
  readonly name: string;
  readonly raw: readonly [string];
  readonly must_fail?: true;
  readonly can_fail?: true;
  readonly expected?: readonly [{ readonly value: string }, []];
}

const { vectors } = JSON.parse(
  readFileSync(new URL("../../vectors/structured-field-binary.json", import.meta.url), "utf8"),
) as { readonly vectors: readonly Vector[] };

/** RFC 4648 §6, which the vectors write their octets in. */
function base32(text: string): Buffer {
  const bits = Array.from(text.replaceAll("=", ""), (character) =>
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(character).toString(2).padStart(5, "0"),
  ).join("");
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((octet) => parseInt(octet, 2)));
}

test("9440-2.1-a: byte sequences are read as the vectors of the HTTP working group say, and raw PEM is none", (t) => {
  t.is(vectors.length, 14);
  t.is(vectors.filter(({ must_fail }) => must_fail).length, 9);
  for (const { name, raw, must_fail, expected } of vectors) {
    const read = readByteSequence(raw[0]);
    if (must_fail) t.is(read, undefined, name);
    else t.deepEqual(Buffer.from(read ?? "-"), base32(expected?.[0].value ?? "-"), name);
  }
  const { pem } = createSelfSigned({ subject: "CN=a" });
  for (const value of [pem, pem.replaceAll("\n", " "), pem.replaceAll("\n", ""), encodeURIComponent(pem), `:${pem}:`]) {
    t.deepEqual(readCertificateItem(value), { unreadable: "not_a_byte_sequence" });
  }
  t.like(readCertificateItem(vector("rfc9440").value), { x5tS256 });
});

test("missing padding and padding bits that are not zero are overlooked (RFC 8941 section 4.2.7): the octets are the same", (t) => {
  t.deepEqual(
    vectors.filter(({ can_fail }) => can_fail).map(({ raw }) => readByteSequence(raw[0])?.length),
    [5, 1],
  );
  const { der: octets, x5tS256: thumbprint } = createSelfSigned({ subject: "CN=a certificate with padding" });
  const padded = octets.toString("base64");
  for (const value of [padded, padded.replace(/=+$/, "")])
    t.like(readCertificateItem(`:${value}:`), { x5tS256: thumbprint });
});

test("parameters after the value are ignored, and must be parameters", (t) => {
  const { value } = vector("rfc9440");
  for (const parameters of [";a", ";a=1", ";a=?0;b=:AA==:", "; a"])
    t.like(readCertificateItem(value + parameters), { x5tS256 });
  for (const wrong of [";", ";A", ";a=", " ;a", "a", ";a=(1)"]) {
    t.deepEqual(readCertificateItem(value + wrong), { unreadable: "not_a_byte_sequence" }, wrong);
  }
});

test("other structured fields are no certificate", (t) => {
  const base64 = der.toString("base64");
  for (const value of [
    "1",
    "?1",
    '"a"',
    `"${base64}"`,
    "a",
    "@1",
    '%"a"',
    "(:AA==:)",
    "a=:AA==:",
    base64,
    `::${base64}:`,
  ]) {
    t.deepEqual(readCertificateItem(value), { unreadable: "not_a_byte_sequence" }, value.slice(0, 10));
  }
});

test("blanks around the value are not part of it (RFC 8941 section 4.2), tabs are", (t) => {
  const { value } = vector("rfc9440");
  t.like(readCertificateItem(`  ${value}  `), { x5tS256 });
  t.deepEqual(readCertificateItem(`\t${value}`), { unreadable: "not_a_byte_sequence" });
});

test("9440-x: exactly one certificate in DER: nothing after it, no BER, no two, no key, nothing else", (t) => {
  const item = (octets: Uint8Array): string => `:${Buffer.from(octets).toString("base64")}:`;
  const { keyPair } = createSelfSigned({ subject: "CN=a" });
  const read = (octets: Uint8Array): unknown =>
    (readCertificateItem(item(octets)) as { unreadable?: string }).unreadable;
  t.is(read(der), undefined);
  t.is(read(Buffer.concat([der, Buffer.of(0)])), "trailing_bytes");
  t.is(read(Buffer.concat([der, Buffer.from("\n")])), "trailing_bytes");
  t.is(read(Buffer.concat([der, der])), "trailing_bytes");
  t.is(read(withBerForm(der, 0, "non-minimal length")), "not_der");
  t.is(read(withBerForm(der, 0, "indefinite length")), "not_der");
  t.is(read(withBerForm(der, 5, "non-minimal length")), "not_der");
  t.is(read(der.subarray(0, -1)), "not_der");
  t.is(read(der.subarray(1)), "trailing_bytes");
  t.is(read(keyPair.privateKey.export({ format: "der", type: "pkcs8" })), "private_key");
  t.is(read(keyPair.privateKey.export({ format: "der", type: "sec1" })), "private_key");
  t.is(read(keyPair.publicKey.export({ format: "der", type: "spki" })), "not_a_certificate");
  t.is(read(Buffer.from(createSelfSigned({ subject: "CN=b" }).pem)), "not_der");
  t.is(read(Buffer.alloc(0)), "empty");
  t.is(read(Buffer.alloc(70_000)), "too_large");
});
