/** The octets of every block in a PEM text, of whatever kind and unread: a malformed one stays as malformed as it is. */
export function readPemBlocks(pem: string): Buffer[] {
  const blocks = pem.matchAll(/-----BEGIN [A-Z0-9 ]+-----([\s\S]*?)-----END [A-Z0-9 ]+-----/g);
  return [...blocks].map(([, base64]) => Buffer.from(base64 ?? "", "base64"));
}
