import { tmpdir } from "node:os";
import type { CertificatePath, ChainVerdict, ChainVerifier, Clock } from "../engine/dependencies.ts";
import { createFairTurns } from "./fair-turns.ts";
import { ChainVerificationFailure } from "./openssl-process.ts";
import { type Purpose, verifyWithOpenssl } from "./openssl-verify.ts";
import { readPathValidity } from "./path-validity.ts";
import { digestOfQuestion, digestsOfSigned, readAnchors, readSentPath, type SignedDigests } from "./read-path.ts";
import { createSignatureChecks, type VerifySignature } from "./signature-checks.ts";
import { findSignedPath, type ReadPath, type SignedPath } from "./signed-path.ts";
import { createVerdictMemo, isWithin, type Period } from "./verdict-memo.ts";

/** How many OpenSSL processes may be started only to explain a refusal that is already certain. */
interface Explanations {
  /** Whether this client has one left, which is then used up; `now` in milliseconds since 1970. */
  take(client: string, now: number): boolean;
}

/** Milliseconds for which the limits hold. */
const window = 60_000;

/**
 * Creates {@link Explanations}: a number per minute for each client, and for all together.
 *
 * @example createExplanations({ ofClient: 4, ofAll: 32 }).take("1/2", Date.now())
 */
function createExplanations(limits: { readonly ofClient: number; readonly ofAll: number }): Explanations {
  let begin = -Infinity;
  let all = 0;
  const taken = new Map<string, number>();
  return {
    take(client, now) {
      // A clock that was set back starts a new minute, too.
      if (now < begin || now >= begin + window) {
        begin = now;
        all = 0;
        taken.clear();
      }
      const before = taken.get(client) ?? 0;
      if (all >= limits.ofAll || before >= limits.ofClient) return false;
      all += 1;
      taken.set(client, before + 1);
      return true;
    },
  };
}

export interface ChainVerifierOptions {
  readonly clock: Clock;
  /** Name or path of the executable; default `openssl`. */
  readonly openssl?: string;
  /** The value of PATH, all that the processes have for an environment; left out: the system's default path. */
  readonly path?: string;
  /** Default `sslclient`. */
  readonly purpose?: Purpose;
  /** How many certificates there may be between leaf and anchor; default 8. */
  readonly maxDepth?: number;
  /** How many intermediates may come with a leaf, used or not; default 16. */
  readonly maxIntermediates?: number;
  /** Milliseconds: a process is killed after it, and no turn is waited for longer; default 5000. */
  readonly timeout?: number;
  /** Processes at once; default 4. */
  readonly concurrency?: number;
  /** Questions that may wait for a process, of all clients and of each; defaults 256 and 64. */
  readonly queue?: number;
  readonly queueOfClient?: number;
  /** Verdicts kept; defaults 4096 trusted, 4096 refused. */
  readonly memo?: { readonly trusted: number; readonly refused: number };
  /** Processes a minute for OpenSSL's words on paths that are refused; defaults 4 of a client, 32 of all. */
  readonly explanations?: { readonly ofClient: number; readonly ofAll: number };
  /** Default the system's. */
  readonly temporaryDirectory?: string;
  /** Checks one signature; default one of libuv's threads. */
  readonly verifySignature?: VerifySignature;
}

/** A {@link ChainVerifier} that has processes to end. */
export interface OpensslChainVerifier extends ChainVerifier {
  /** Ends what runs; every question then open or asked rejects with {@link ChainVerificationFailure}. */
  close(): Promise<void>;
}

/** Milliseconds that a verdict is kept at most. */
const longestPeriod = 600_000;

/** Of libuv's four threads the others are left to the file system. */
const checksAtOnce = 2;

interface Question extends Period {
  readonly answer: Promise<ChainVerdict>;
}

/**
 * A verifier that hands certificate paths to `openssl verify` (RFC 5280 §6, RFC 8705 §2.1 and §7.5).
 *
 * First a path must be within bounds (number and size of certificates, kinds and sizes of keys), and names and
 * signatures must lead from an anchor to the leaf. Of the client's other certificates, only those that an anchor
 * vouches for reach OpenSSL. A verdict is cached until the next notBefore or notAfter of any certificate involved, at
 * most 10 minutes; the same certificates in another order share it. Clients take turns. When no verdict can be reached,
 * it rejects with {@link ChainVerificationFailure}, and nothing is cached.
 *
 * @example const verdict = await createChainVerifier({ clock: Date.now }).verify({ leaf, intermediates: [], anchors }, "1/2");
 */
export function createChainVerifier(options: ChainVerifierOptions): OpensslChainVerifier {
  const { clock, purpose = "sslclient", maxDepth = 8, maxIntermediates = 16, timeout = 5000 } = options;
  const { concurrency = 4, queue = 256, queueOfClient = 64 } = options;
  const { memo: memoLimits = { trusted: 4096, refused: 4096 } } = options;
  const command = { executable: options.openssl ?? "openssl", path: options.path, timeout };
  const temporaryDirectory = options.temporaryDirectory ?? tmpdir();
  const processes = createFairTurns({ concurrency, queue, queueOfClient, timeout });
  const threads = { concurrency: checksAtOnce, queue: 4096, queueOfClient: 1024, timeout, what: "thread" };
  const checks = createSignatureChecks(createFairTurns(threads), options.verifySignature);
  const explanations = createExplanations(options.explanations ?? { ofClient: 4, ofAll: 32 });
  const memo = createVerdictMemo(memoLimits);
  const searches = new Map<string, Promise<SignedPath>>();
  const open = new Map<string, Question>();
  const closing = new AbortController();

  function refuseWhenClosed(): void {
    if (closing.signal.aborted) throw new ChainVerificationFailure("the chain verifier was closed");
  }

  /** Identical requests at the same time share one verification. */
  function search(key: string, path: ReadPath, client: string): Promise<SignedPath> {
    const under = searches.get(key);
    if (under !== undefined) return under;
    const found = findSignedPath(path, checks, client).finally(() => searches.delete(key));
    searches.set(key, found);
    return found;
  }

  /** OpenSSL's verdict, cached under these keys; for an `unsigned` path only its explanation. */
  async function ask(
    { whenTrusted, whenRefused }: SignedDigests,
    path: CertificatePath,
    { client, now, unsigned }: { readonly client: string; readonly now: number; readonly unsigned?: string },
  ): Promise<ChainVerdict> {
    const asked = open.get(whenRefused);
    if (asked !== undefined && isWithin(asked, now)) return asked.answer;
    const validity = readPathValidity(path);
    if ("unreadable" in validity) return refused(validity.unreadable);
    const next = validity.instants.find((instant) => instant > now) ?? Infinity;
    const period = { from: now, until: Math.min(next, now + longestPeriod) };
    const run = async () => {
      const verdict = await processes.run(client, () => {
        refuseWhenClosed();
        const verification = { purpose, maxDepth, at: now, temporaryDirectory };
        return verifyWithOpenssl(command, path, verification, closing.signal);
      });
      const final = unsigned !== undefined && verdict.trusted ? refused(unsigned) : verdict;
      memo.set(final.trusted ? whenTrusted : whenRefused, final, period);
      return final;
    };
    const question = { ...period, answer: run() };
    open.set(whenRefused, question);
    try {
      return await question.answer;
    } finally {
      if (open.get(whenRefused) === question) open.delete(whenRefused);
    }
  }

  return {
    async verify(path, client) {
      refuseWhenClosed();
      if (path.anchors.length === 0) return refused("no trust anchors are configured");
      if (path.intermediates.length > maxIntermediates) return refused(`more than ${maxIntermediates} intermediates`);
      const now = clock();
      const key = digestOfQuestion(path, purpose);
      const remembered = memo.get(key, now);
      if (remembered !== undefined) return remembered;
      const refuse = (reason: string): ChainVerdict => {
        const verdict = refused(reason);
        memo.set(key, verdict, { from: now, until: now + longestPeriod });
        return verdict;
      };

      const read = readSentPath(path);
      if ("error" in read) return refuse(read.error);
      const found = await search(key, read, client);
      refuseWhenClosed();
      if ("unsigned" in found) {
        const reason = readAnchors(path.anchors).unfit ?? read.leftOut ?? found.unsigned;
        // The reason is for the operator: asking for it must not delay a client, and is limited.
        const isPlain = reason === found.unsigned && !processes.areTaken() && explanations.take(client, now);
        return isPlain
          ? ask({ whenTrusted: key, whenRefused: key }, path, { client, now, unsigned: reason })
          : refuse(reason);
      }
      const unreadable = readPathValidity(path);
      if ("unreadable" in unreadable) return refuse(unreadable.unreadable);
      const signed = { ...read, intermediates: found.signed };
      const keys = digestsOfSigned(signed, purpose);
      const known = memo.get(keys.whenTrusted, now) ?? memo.get(keys.whenRefused, now);
      return known ?? (await ask(keys, derOf(signed), { client, now }));
    },
    async close() {
      closing.abort();
      await Promise.allSettled([...searches.values(), ...[...open.values()].map(({ answer }) => answer)]);
      memo.clear();
    },
  };
}

function derOf({ leaf, intermediates, anchors }: ReadPath): CertificatePath {
  const ders = (certificates: ReadPath["anchors"]) => certificates.map(({ der }) => der);
  return { leaf: leaf.der, intermediates: ders(intermediates), anchors: ders(anchors) };
}

function refused(reason: string): ChainVerdict {
  return { trusted: false, reason };
}
