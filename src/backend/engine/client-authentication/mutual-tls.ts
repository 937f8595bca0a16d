import type { Context } from "../context.ts";
import { MalformedCertificate } from "../../../x509/malformed-certificate.ts";
import { readPem } from "../../../x509/pem.ts";
import { checkSubject, type SubjectExpectation } from "../../../x509/subject.ts";
import type { Client } from "../settings/service-and-client.ts";
import type { ResultCode } from "../answer/result.ts";
import { authenticated, notAuthenticated, type ClientAuthentication, type Evidence } from "./client-authentication.ts";
import { askClientKeys, registers } from "./client-keys.ts";

/** More than any real chain has. */
const longestPath = 10;

/** Characters: 8 KiB of DER as PEM, with some for line ends. */
const longestPem = 12_288;

const subjectDiffers = {
  dn: "A157343",
  sanDns: "A157346",
  sanUri: "A157347",
  sanIp: "A157348",
  sanEmail: "A157349",
} satisfies Record<SubjectExpectation["kind"], ResultCode>;

/**
 * `tls_client_auth`: the registered subject, in a certificate with a valid path to an anchor (RFC 8705 §2.1).
 *
 * The subject is compared first, because that is cheap: a certificate with another subject starts no process. The right
 * subject alone proves nothing, since anyone can write it into a certificate.
 */
export async function authenticateByCertificatePath(
  client: Client,
  evidence: Evidence,
  { chainVerifier, service }: Context,
): Promise<ClientAuthentication> {
  const { certificate } = evidence;
  if (certificate === undefined) return notAuthenticated("A157327");
  if (!("raw" in certificate)) return notAuthenticated("A157328", certificate.unreadable);
  if (client.subject === undefined) return notAuthenticated("A157343");
  if (!checkSubject(client.subject, certificate.raw)) return notAuthenticated(subjectDiffers[client.subject.kind]);
  if (!service.settings.mutualTlsValidatePkiCertChain) return authenticated;
  const anchors = client.anchors ?? service.anchors;
  if (anchors.length === 0) return notAuthenticated("A157335");
  const intermediates = readPath(evidence.certificatePath);
  if (intermediates === undefined) return notAuthenticated("A157339", "a certificate of the path cannot be read");
  const name = `${service.settings.apiKey}/${client.settings.clientId}`;
  const verdict = await chainVerifier.verify({ leaf: certificate.raw, intermediates, anchors }, name);
  return verdict.trusted ? authenticated : notAuthenticated("A157339", verdict.reason);
}

/**
 * `self_signed_tls_client_auth`: exactly a certificate that the client registered (RFC 8705 §2.2).
 *
 * The whole certificate is compared, not only its key or name. Registration is the authority, so an expired certificate
 * is accepted, too.
 */
export async function authenticateByRegisteredCertificate(
  client: Client,
  { certificate }: Evidence,
  { remoteJwks }: Context,
): Promise<ClientAuthentication> {
  if (certificate === undefined) return notAuthenticated("A157327");
  if (!("raw" in certificate)) return notAuthenticated("A157328", certificate.unreadable);
  const { selfSignedCertificateKeyId } = client.settings;
  const registered = await askClientKeys(client, remoteJwks, (keys) =>
    registers(keys, selfSignedCertificateKeyId, certificate.raw),
  );
  return registered ? authenticated : notAuthenticated("A157333");
}

/**
 * The octets of the path; `undefined` when it is too long or a part of it is not PEM. Nothing else is checked here: the
 * verifier reads the certificates after it knows that an authority signed the first one.
 */
function readPath(pems: readonly string[]): readonly Uint8Array[] | undefined {
  if (pems.length > longestPath || pems.some((pem) => pem.length > longestPem)) return undefined;
  try {
    return pems.map(readPem);
  } catch (error) {
    if (error instanceof MalformedCertificate) return undefined;
    throw error;
  }
}
