import { createHash, generateKeyPairSync, randomBytes, sign, X509Certificate, type KeyObject } from "node:crypto";
import {
  element,
  generalNames,
  integer,
  name,
  objectIdentifier,
  sequence,
  time,
  type NameSource,
  type SubjectAltName,
} from "./der-writer.ts";

export type KeyKind = "P-256" | "RSA-2048" | "Ed25519";

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** A certificate and its key, ready for `tls` and `https`. */
export interface TestCertificate {
  readonly pem: string;
  readonly der: Buffer;
  /** By `node:crypto` alone, not by the code under test. */
  readonly x5tS256: string;
  /** The private key as PKCS #8 PEM. */
  readonly key: string;
  readonly keyPair: KeyPair;
  readonly subject: NameSource;
  readonly issuer: NameSource;
  /** Hexadecimal. */
  readonly serial: string;
}

export interface CertificateRequest {
  /** An RFC 4514 string, or the RDNs in the certificate's order with their string types; "" for an empty name. */
  readonly subject: NameSource;
  readonly san?: readonly SubjectAltName[];
  /** Hexadecimal; random when left out. */
  readonly serial?: string;
  /** 2020 when left out. */
  readonly notBefore?: Date;
  /** 2049 when left out. */
  readonly notAfter?: Date;
  /** Extended key usages as OIDs; clientAuth and serverAuth when left out, none at all when empty. */
  readonly eku?: readonly string[];
  /** A kind to make a fresh pair of, or a pair to use. */
  readonly key?: KeyKind | KeyPair;
  /** Added after the others. */
  readonly extensions?: readonly Extension[];
}

interface Extension {
  readonly oid: string;
  readonly critical?: boolean;
  /** The extension's value as DER, without the OCTET STRING around it. */
  readonly value: Uint8Array;
}

export interface AuthorityRequest {
  readonly subject: NameSource;
  /** The authority that signs it; itself when left out. */
  readonly parent?: Authority;
  readonly key?: KeyKind | KeyPair;
  readonly serial?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** `pathLenConstraint`. */
  readonly pathLength?: number;
  readonly extensions?: readonly Extension[];
}

/** A certificate authority. */
export interface Authority {
  readonly certificate: TestCertificate;
  /** Issues an end-entity certificate. */
  issue(request: CertificateRequest): TestCertificate;
}

export const clientAuth = "1.3.6.1.5.5.7.3.2";
export const serverAuth = "1.3.6.1.5.5.7.3.1";

const from2020 = new Date("2020-01-01T00:00:00Z");
const to2049 = new Date("2049-12-31T23:59:59Z");

/** A fresh key pair. */
export function createKeyPair(kind: KeyKind = "P-256"): KeyPair {
  if (kind === "P-256") return generateKeyPairSync("ec", { namedCurve: "P-256" });
  if (kind === "RSA-2048") return generateKeyPairSync("rsa", { modulusLength: 2048 });
  return generateKeyPairSync("ed25519");
}

/**
 * An authority, a root unless it has a parent.
 *
 * @example const ca = createAuthority({ subject: "CN=Test CA" }); ca.issue({ subject: "CN=client-a" })
 */
export function createAuthority(request: AuthorityRequest): Authority {
  const keyPair = keyPairOf(request.key);
  const certificate = issueCertificate({
    ...request,
    keyPair,
    issuer: request.parent?.certificate ?? { subject: request.subject, keyPair },
    extensions: [basicConstraints(request.pathLength), keyUsage(certSign), ...(request.extensions ?? [])],
  });
  return {
    certificate,
    issue: (wanted) =>
      issueCertificate({
        ...wanted,
        keyPair: keyPairOf(wanted.key),
        issuer: certificate,
        extensions: endEntityExtensions(wanted),
      }),
  };
}

/** A certificate signed with its own key, as `self_signed_tls_client_auth` clients register them. */
export function createSelfSigned(request: CertificateRequest): TestCertificate {
  const keyPair = keyPairOf(request.key);
  const issuer = { subject: request.subject, keyPair };
  return issueCertificate({ ...request, keyPair, issuer, extensions: endEntityExtensions(request) });
}

/** Same subject, issuer name and serial as another certificate, from a stranger: other key, other issuer key. */
export function createLookAlike(
  { subject, issuer, serial }: TestCertificate,
  issuerName: NameSource = issuer,
  request: Omit<CertificateRequest, "subject" | "serial"> = {},
): TestCertificate {
  return createAuthority({ subject: issuerName }).issue({ ...request, subject, serial });
}

function keyPairOf(key: KeyKind | KeyPair | undefined): KeyPair {
  return typeof key === "object" ? key : createKeyPair(key);
}

const digitalSignature = Buffer.of(0x07, 0x80);
const certSign = Buffer.of(0x01, 0x06);

function keyUsage(bits: Uint8Array): Extension {
  return { oid: "2.5.29.15", critical: true, value: element(0x03, bits) };
}

function basicConstraints(pathLength: number | undefined): Extension {
  const limit = pathLength === undefined ? [] : [integer(Buffer.of(pathLength))];
  return { oid: "2.5.29.19", critical: true, value: sequence(element(0x01, Buffer.of(0xff)), ...limit) };
}

function endEntityExtensions({ subject, san, eku, extensions }: CertificateRequest): Extension[] {
  const usages = (eku ?? [clientAuth, serverAuth]).map(objectIdentifier);
  return [
    keyUsage(digitalSignature),
    ...(usages.length === 0 ? [] : [{ oid: "2.5.29.37", value: sequence(...usages) }]),
    // With an empty subject the alternative name is critical (RFC 5280 §4.2.1.6).
    ...(san === undefined ? [] : [{ oid: "2.5.29.17", critical: subject.length === 0, value: generalNames(san) }]),
    ...(extensions ?? []),
  ];
}

interface Unsigned {
  readonly subject: NameSource;
  readonly serial?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly keyPair: KeyPair;
  readonly issuer: { readonly subject: NameSource; readonly keyPair: KeyPair };
  readonly extensions: readonly Extension[];
}

function issueCertificate(unsigned: Unsigned): TestCertificate {
  const { subject, keyPair, issuer } = unsigned;
  const serial = unsigned.serial ?? randomBytes(16).toString("hex");
  const algorithm = signatureAlgorithm(issuer.keyPair.privateKey);
  const extensions = [
    ...unsigned.extensions,
    { oid: "2.5.29.14", value: element(0x04, keyIdentifier(keyPair)) },
    { oid: "2.5.29.35", value: sequence(element(0x80, keyIdentifier(issuer.keyPair))) },
  ];
  const toBeSigned = sequence(
    element(0xa0, integer(Buffer.of(2))),
    integer(Buffer.from(serial, "hex")),
    algorithm,
    name(issuer.subject),
    sequence(time(unsigned.notBefore ?? from2020), time(unsigned.notAfter ?? to2049)),
    name(subject),
    publicKeyInfo(keyPair),
    element(0xa3, sequence(...extensions.map(encodeExtension))),
  );
  const hash = issuer.keyPair.privateKey.asymmetricKeyType === "ed25519" ? null : "sha256";
  const signature = sign(hash, toBeSigned, issuer.keyPair.privateKey);
  const der = sequence(toBeSigned, algorithm, element(0x03, Buffer.of(0), signature));
  return {
    pem: new X509Certificate(der).toString(),
    der,
    x5tS256: createHash("sha256").update(der).digest("base64url"),
    key: keyPair.privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    keyPair,
    subject,
    issuer: issuer.subject,
    serial,
  };
}

function encodeExtension({ oid, critical, value }: Extension): Buffer {
  const flag = critical === true ? [element(0x01, Buffer.of(0xff))] : [];
  return sequence(objectIdentifier(oid), ...flag, element(0x04, value));
}

function publicKeyInfo({ publicKey }: KeyPair): Buffer {
  return publicKey.export({ type: "spki", format: "der" });
}

function keyIdentifier(keyPair: KeyPair): Buffer {
  return createHash("sha256").update(publicKeyInfo(keyPair)).digest().subarray(0, 20);
}

function signatureAlgorithm({ asymmetricKeyType }: KeyObject): Buffer {
  if (asymmetricKeyType === "ed25519") return sequence(objectIdentifier("1.3.101.112"));
  if (asymmetricKeyType === "ec") return sequence(objectIdentifier("1.2.840.10045.4.3.2"));
  return sequence(objectIdentifier("1.2.840.113549.1.1.11"), element(0x05));
}
