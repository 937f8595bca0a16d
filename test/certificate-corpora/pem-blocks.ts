/** The octets of every certificate in a PEM text, unread: a malformed one stays as malformed as it is. */
export function readPemBlocks(pem: string): Buffer[] {
  const blocks = pem.matchAll(/-----BEGIN CERTIFICATE-----([\s\S]*?)-----END CERTIFICATE-----/g);
  return [...blocks].map(([, base64]) => Buffer.from(base64 ?? "", "base64"));
}
