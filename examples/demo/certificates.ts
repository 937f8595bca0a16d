import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The paths of a certificate and its key, as PEM files. */
export interface Identity {
  readonly name: string;
  readonly certificate: string;
  readonly key: string;
}

export interface Certificates {
  /** The small CA that issues for the servers and for client A. */
  readonly authority: string;
  readonly server: Identity;
  /** Issued by the CA; the backend knows its subject. */
  readonly clientA: Identity;
  /** Self-signed; the backend knows the certificate itself. */
  readonly clientB: Identity;
  /** The subject, issuer and serial number of client A's certificate, over another key. */
  readonly lookAlike: Identity;
  /** Client B's certificate as the JWK Set that it registers (RFC 8705 §2.2.2). */
  readonly clientBJwks: string;
}

const clientASubject = "/C=JP/O=Client A/CN=client-a.example.com";
const authoritySubject = "/O=certbound demo/CN=Demo CA";
const sameSerial = "0x5EC0DE";

/** Makes all certificates anew with the openssl command. They exist only in the folder. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  const authority = await selfSigned(folder, "ca", authoritySubject, ["-addext", "keyUsage=critical,keyCertSign"]);
  const impostor = await selfSigned(folder, "impostor-ca", authoritySubject, []);
  const server = await issued(folder, "server", authority, "/CN=localhost", [
    "subjectAltName=DNS:localhost,IP:127.0.0.1",
    "extendedKeyUsage=serverAuth",
  ]);
  const client = ["extendedKeyUsage=clientAuth"];
  const clientA = await issued(folder, "client-a", authority, clientASubject, client, sameSerial);
  const lookAlike = await issued(folder, "look-alike", impostor, clientASubject, client, sameSerial);
  const clientB = await selfSigned(folder, "client-b", "/O=Client B/CN=client-b.example.net", []);
  const clientBJwks = await writeJwks(folder, clientB);
  return { authority: authority.certificate, server, clientA, clientB, lookAlike, clientBJwks };
}

/** The thumbprint as anyone can compute it with openssl alone (RFC 8705 §3.1). */
export async function thumbprintByOpenssl(identity: Identity): Promise<string> {
  const der = join(identity.certificate, "..", `${identity.name}.der`);
  await run("openssl", ["x509", "-in", identity.certificate, "-outform", "der", "-out", der]);
  const { stdout } = await run("openssl", ["dgst", "-sha256", "-binary", der], { encoding: "buffer" });
  return stdout.toString("base64url");
}

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

async function selfSigned(folder: string, name: string, subject: string, more: readonly string[]): Promise<Identity> {
  const identity = identityIn(folder, name);
  const files = ["-keyout", identity.key, "-out", identity.certificate];
  await run("openssl", ["req", "-x509", ...newKey, "-days", "1", "-subj", subject, ...files, ...more]);
  return identity;
}

async function issued(
  folder: string,
  name: string,
  issuer: Identity,
  subject: string,
  extensions: readonly string[],
  serial?: string,
): Promise<Identity> {
  const identity = identityIn(folder, name);
  const request = join(folder, `${name}.csr`);
  const extensionFile = join(folder, `${name}.ext`);
  const common = ["basicConstraints=CA:FALSE", "authorityKeyIdentifier=keyid", "subjectKeyIdentifier=hash"];
  await writeFile(extensionFile, [...common, ...extensions].join("\n"));
  await run("openssl", ["req", "-new", ...newKey, "-subj", subject, "-keyout", identity.key, "-out", request]);
  const by = ["-CA", issuer.certificate, "-CAkey", issuer.key, "-days", "1", "-extfile", extensionFile];
  const number = serial === undefined ? ["-CAcreateserial"] : ["-set_serial", serial];
  await run("openssl", ["x509", "-req", "-in", request, "-out", identity.certificate, ...by, ...number]);
  return identity;
}

function identityIn(folder: string, name: string): Identity {
  return { name, certificate: join(folder, `${name}.pem`), key: join(folder, `${name}-key.pem`) };
}

async function writeJwks(folder: string, identity: Identity): Promise<string> {
  const certificate = new X509Certificate(await readFile(identity.certificate));
  const key = { ...certificate.publicKey.export({ format: "jwk" }), x5c: [certificate.raw.toString("base64")] };
  const path = join(folder, `${identity.name}.jwks.json`);
  await writeFile(path, JSON.stringify({ keys: [key] }));
  return path;
}
