import { readFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { createChainVerifier } from "../../src/backend/chain-verification/create-chain-verifier.ts";
import { MalformedCertificate } from "../../src/x509/malformed-certificate.ts";
import { readCertificate } from "../../src/x509/read-certificate.ts";
import { createAuthority } from "../support/certificates.ts";
import { locateCryptographyVectors } from "./cryptography-vectors.ts";
import { listMalformed, unreadableDates } from "./malformed.ts";
import { opensslPath } from "./openssl-path.ts";
import { readPemBlocks } from "./pem-blocks.ts";

const vectors = locateCryptographyVectors();

const files = await listMalformed(vectors);

/** Self-signed and, whatever their file is about, well-formed enough: anchors that trust themselves. */
const trustThemselves: readonly string[] = [
  "custom/bad_country.pem",
  "custom/ca/ca.pem",
  "custom/freshestcrl.pem",
  "custom/invalid_version.pem",
  "custom/rsa_pss.pem",
  "custom/sia.pem",
  "ecdsa_root.pem",
  "ed25519/root-ed25519.pem",
  "ed448/root-ed448.pem",
];

const verifier = createChainVerifier({
  // Between the ends of most of the corpus, so that not everything is refused for its age.
  clock: () => Date.parse("2020-01-01T00:00:00Z"),
  path: opensslPath,
  timeout: 60_000,
});
const root = createAuthority({ subject: "CN=Root", notBefore: new Date("2019-01-01T00:00:00Z") });
const client = root.issue({ subject: "CN=client-a", notBefore: new Date("2019-01-01T00:00:00Z") });
const ours = root.certificate.der;

function isReadable(der: Uint8Array): boolean {
  try {
    readCertificate(der);
    return true;
  } catch (error) {
    if (error instanceof MalformedCertificate) return false;
    throw error;
  }
}

test("the corpus was found", (t) => {
  t.true(files.length > 150);
  t.true(files.includes("custom/invalid_version.pem"));
});

for (const name of files) {
  test.serial(`8705-2.1-a: malformed: ${name} is not trusted, and breaks nothing`, async (t) => {
    const content = await readFile(join(vectors, name));
    const text = content.toString("latin1");
    const certificates = name.endsWith(".der") ? [content] : [...readPemBlocks(text), content];
    for (const der of certificates) {
      const asLeaf = await verifier.verify({ leaf: der, intermediates: [], anchors: [ours] }, "1/1");
      t.false(asLeaf.trusted);

      const asItsOwnAnchor = await verifier.verify({ leaf: der, intermediates: [], anchors: [der] }, "1/1");
      t.is(asItsOwnAnchor.trusted, trustThemselves.includes(name) && der !== content);

      // Beside a good chain it harms only where it cannot be read, and then all is refused.
      const beside = await verifier.verify({ leaf: client.der, intermediates: [der], anchors: [ours] }, "1/1");
      t.is(beside.trusted, isReadable(der) && !unreadableDates.includes(name));
      const asAnotherAnchor = await verifier.verify(
        { leaf: client.der, intermediates: [], anchors: [ours, der] },
        "1/1",
      );
      t.is(asAnotherAnchor.trusted, beside.trusted);
    }
    try {
      readCertificate(text);
      t.pass();
    } catch (error) {
      t.true(error instanceof MalformedCertificate);
    }
  });
}
