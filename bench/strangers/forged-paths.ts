import { createPublicKey, generateKeyPairSync, randomBytes, type KeyObject } from "node:crypto";
import {
  createAuthority,
  createKeyPair,
  type Authority,
  type KeyPair,
  type TestCertificate,
} from "../../test/support/certificates.ts";

/** A request without credentials: a certificate with a client's subject, and more beside it. */
export interface ForgedPath {
  readonly leaf: string;
  readonly intermediates: readonly string[];
}

/** The strangers' keys: slow to check, or ordinary ones below a certificate that claims to be the anchor. */
export type Forgery = "slow keys" | "look-alikes";

const leaves = 24;
const intermediatesOfEach = 10;

/** Paths with this subject without an authority's signature; ten intermediates each. */
export function forgePaths(forgery: Forgery, anchor: TestCertificate, subject: string): ForgedPath[] {
  return Array.from({ length: leaves }, (_, index) =>
    forgery === "slow keys"
      ? forgeSlow(slowKeys[index % slowKeys.length] ?? binary, subject)
      : lookAlike(anchor, subject),
  );
}

/** The next variant of a path: in another order, with some intermediates left out. */
export function shuffled({ leaf, intermediates }: ForgedPath): ForgedPath {
  const left = intermediates.filter(() => Math.random() > 0.1);
  for (let at = left.length - 1; at > 0; at -= 1) {
    const other = Math.floor(Math.random() * (at + 1));
    [left[at], left[other]] = [left[other] ?? "", left[at] ?? ""];
  }
  return { leaf, intermediates: left };
}

const binary: KeyPair = generateKeyPairSync("ec", { namedCurve: "sect571r1" });
const slowKeys: readonly KeyPair[] = [binary, longExponent(), generateKeyPairSync("ec", { namedCurve: "P-521" })];

/** RSA of 3072 bits with an equally long exponent. Its private key is another's, which does not make a check faster. */
function longExponent(): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 3072 });
  const exponent = randomBytes(383);
  exponent[382] = (exponent[382] ?? 0) | 1;
  const jwk = { ...publicKey.export({ format: "jwk" }), e: exponent.toString("base64url") };
  return { publicKey: createPublicKey({ key: jwk, format: "jwk" }), privateKey };
}

function forgeSlow(key: KeyPair, subject: string): ForgedPath {
  const fakes = Array.from({ length: intermediatesOfEach }, () => createAuthority({ subject: "CN=Fake CA", key }));
  return pathOf(fakes, subject);
}

/** Copies everything public of the anchor: its name and the identifier of its key. */
function lookAlike({ subject: name, keyPair }: TestCertificate, subject: string): ForgedPath {
  const stranger: KeyObject = createKeyPair().privateKey;
  const liar = createAuthority({ subject: name, key: { publicKey: keyPair.publicKey, privateKey: stranger } });
  const key = createKeyPair();
  const fakes = Array.from({ length: intermediatesOfEach }, () =>
    createAuthority({ subject: "CN=Fake CA", key, parent: liar }),
  );
  return pathOf(fakes, subject);
}

function pathOf(fakes: readonly Authority[], subject: string): ForgedPath {
  const leaf = fakes[0]?.issue({ subject }).pem ?? "";
  return { leaf, intermediates: fakes.map(({ certificate }) => certificate.pem) };
}
