import { createHash } from "node:crypto";
import test from "ava";
import fc from "fast-check";
import { readBase64Chain, readBase64Der } from "../../../src/client-certificate/encodings/base64-der.ts";
import { readCertificateItem } from "../../../src/client-certificate/encodings/byte-sequence.ts";
import { readFlattenedPem } from "../../../src/client-certificate/encodings/certificate-reading.ts";
import { readForwardedClientCert } from "../../../src/client-certificate/encodings/forwarded-client-cert.ts";
import {
  readPercentEncodedBase64,
  readPercentEncodedPem,
  readPercentEncodedPemChain,
} from "../../../src/client-certificate/encodings/percent-encoded.ts";
import { readBase64Sha256, readHexSha256 } from "../../../src/client-certificate/encodings/sha256-fingerprint.ts";
import type { Dialect } from "../../../src/client-certificate/header-source.ts";
import { der, vector, x5tS256 } from "../certificate-vectors.ts";

const certificates: Record<string, readonly [Dialect["read"], vectorName: string]> = {
  readCertificateItem: [readCertificateItem, "rfc9440"],
  readBase64Der: [readBase64Der, "haproxy"],
  readBase64Chain: [readBase64Chain, "haproxy"],
  readPercentEncodedPem: [readPercentEncodedPem, "nginx_escaped"],
  readPercentEncodedPemChain: [readPercentEncodedPemChain, "aws_leaf"],
  readPercentEncodedBase64: [readPercentEncodedBase64, "traefik_old"],
  readFlattenedPem: [readFlattenedPem, "apache_s"],
};

const fingerprints: Record<string, Dialect["read"]> = { readHexSha256, readBase64Sha256 };

/** What a header's value can be made of, as Node hands it on: Latin-1 without control characters. */
const character = fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code));
const anyText = fc.oneof(
  fc.array(character, { maxLength: 200 }).map((characters) => characters.join("")),
  fc.string({ unit: "binary" }),
  fc.base64String(),
  fc.base64String().map((base64) => `:${base64}:`),
  fc.base64String().map((base64) => `-----BEGIN CERTIFICATE-----${base64}-----END CERTIFICATE-----`),
  fc.base64String().map((base64) => `-----BEGIN+CERTIFICATE-----%0A${base64}-----END%20CERTIFICATE-----`),
);
/** One character put in, left out, or put in another's place. */
const change = fc.record({ at: fc.nat(), what: fc.constantFrom("insert", "remove", "replace"), character });

function changed(text: string, { at, what, character: one }: { at: number; what: string; character: string }): string {
  const place = at % text.length;
  return text.slice(0, place) + (what === "remove" ? "" : one) + text.slice(what === "insert" ? place : place + 1);
}

for (const [name, [read, vectorName]] of Object.entries(certificates)) {
  test(`${name} throws for nothing, and reads no certificate out of noise`, (t) => {
    const unreadable = (text: string): boolean => "unreadable" in (read(text) ?? {});
    fc.assert(fc.property(anyText, unreadable), { numRuns: 2000 });
    t.pass();
  });

  test(`${name}: one character changed is refused, or the thumbprint is that of the octets that are there now`, (t) => {
    const { value } = vector(vectorName);
    let refused = 0;
    fc.assert(
      fc.property(change, (one) => {
        const found = read(changed(value, one));
        if (found === undefined) return false;
        if ("unreadable" in found) {
          refused += 1;
          return true;
        }
        // Nobody checks the signature here: an octet changed in it is another certificate, with another thumbprint.
        const octets = Buffer.from(found.raw ?? []);
        const thumbprint = createHash("sha256").update(octets).digest("base64url");
        return found.x5tS256 === thumbprint && octets.equals(der) === (found.x5tS256 === x5tS256);
      }),
      { numRuns: 1000 },
    );
    t.true(refused > 0);
  });
}

for (const [name, read] of Object.entries(fingerprints)) {
  test(`${name} throws for nothing, and what it reads is 32 octets in base64url, those that were written`, (t) => {
    const octets = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((array) => Buffer.from(array));
    const written = (digest: Buffer): string => digest.toString(name === "readHexSha256" ? "hex" : "base64");
    fc.assert(
      fc.property(octets, (digest) => {
        t.deepEqual(read(written(digest)), { x5tS256: digest.toString("base64url") });
      }),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          anyText,
          fc.tuple(octets, change).map(([digest, one]) => changed(written(digest), one)),
        ),
        (text) => {
          const found = read(text);
          if (found === undefined || "unreadable" in found) return found !== undefined;
          const back = Buffer.from(found.x5tS256, "base64url");
          return (
            back.length === 32 && written(back).replace("=", "").toLowerCase() === text.replace("=", "").toLowerCase()
          );
        },
      ),
      { numRuns: 2000 },
    );
  });
}

test("the list of forwarded certificates throws for nothing", (t) => {
  const pieces = fc.constantFrom("Hash=", "By=", '"', "\\", ",", ";", "=", "a", " ", "Cert", "\t", "é");
  fc.assert(
    fc.property(
      fc.oneof(
        anyText,
        fc.array(pieces, { maxLength: 60 }).map((parts) => parts.join("")),
      ),
      (text) => {
        const elements = readForwardedClientCert(text);
        return elements === undefined || (elements.length > 0 && elements.every((element) => element.length > 0));
      },
    ),
    { numRuns: 5000 },
  );
  t.pass();
});
