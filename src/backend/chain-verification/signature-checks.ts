import { verify } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { FairTurns } from "./fair-turns.ts";
import { publicKeyOf, type PathCertificate } from "./path-certificate.ts";

/** Whether the key of one certificate has signed another; each pair is checked once and remembered. */
export interface SignatureChecks {
  /** The cached result. */
  known(certificate: PathCertificate, issuer: PathCertificate): boolean | undefined;
  /** Checks in the client's turn, on a separate thread. */
  check(client: string, certificate: PathCertificate, issuer: PathCertificate): Promise<boolean>;
}

/** Checks one signature; the default is `node:crypto`'s. */
export type VerifySignature = (certificate: PathCertificate, issuer: PathCertificate) => Promise<boolean>;

/** Cached pairs. Valid ones are kept apart from the others, which anyone can produce in any number. */
const mostPairs = 4096;

/** Creates {@link SignatureChecks} whose checks take these turns. */
export function createSignatureChecks(
  turns: FairTurns,
  verifySignature: VerifySignature = verifyOnAThread,
): SignatureChecks {
  const fitting = new LRUCache<string, true>({ max: mostPairs });
  const others = new LRUCache<string, true>({ max: mostPairs });

  const known: SignatureChecks["known"] = (certificate, issuer) => {
    const pair = pairOf(certificate, issuer);
    if (fitting.get(pair)) return true;
    return others.get(pair) === undefined ? undefined : false;
  };

  return {
    known,
    check: (client, certificate, issuer) =>
      turns.run(client, async () => {
        // Another request may have checked the same pair while this one waited.
        const found = known(certificate, issuer);
        if (found !== undefined) return found;
        const fits = await verifySignature(certificate, issuer);
        (fits ? fitting : others).set(pairOf(certificate, issuer), true);
        return fits;
      }),
  };
}

function pairOf(certificate: PathCertificate, issuer: PathCertificate): string {
  return certificate.thumbprint + issuer.thumbprint;
}

/** With a callback `node:crypto` leaves the work to one of libuv's threads. */
function verifyOnAThread(certificate: PathCertificate, issuer: PathCertificate): Promise<boolean> {
  if (certificate.algorithm === undefined) return Promise.resolve(false);
  const { digest, ...how } = certificate.algorithm;
  const { toBeSigned, signature } = certificate.parts;
  return new Promise((resolve) => {
    try {
      verify(digest, toBeSigned, { key: publicKeyOf(issuer), ...how }, signature, (error, fits) => {
        resolve(error === null && fits);
      });
    } catch {
      // An unusable key or algorithm, or two that do not fit, is no signature.
      resolve(false);
    }
  });
}
