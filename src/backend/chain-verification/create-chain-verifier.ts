import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import type { CertificatePath, ChainVerdict, ChainVerifier, Clock } from "../engine/dependencies.ts";
import { ChainVerificationFailure } from "./chain-verification-failure.ts";
import { hasSignedPath } from "./has-signed-path.ts";
import type { Purpose } from "./openssl-verify.ts";
import { verifyWithOpenssl } from "./openssl-verify.ts";
import { readPathValidity } from "./path-validity.ts";
import { createProcessSlots } from "./process-slots.ts";
import type { Period } from "./verdict-memo.ts";
import { createVerdictMemo, isWithin } from "./verdict-memo.ts";

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
  /** Questions that may wait for a process; default 64. */
  readonly queue?: number;
  /** Verdicts kept; defaults 4096 trusted, 512 refused. */
  readonly memo?: { readonly trusted: number; readonly refused: number };
  /** Default the system's. */
  readonly temporaryDirectory?: string;
}

/** A {@link ChainVerifier} that has processes to end. */
export interface OpensslChainVerifier extends ChainVerifier {
  /** Ends what runs; every question then open or asked rejects with {@link ChainVerificationFailure}. */
  close(): Promise<void>;
}

/** Milliseconds that a verdict is kept at most. */
const longestPeriod = 600_000;

interface Question extends Period {
  readonly answer: Promise<ChainVerdict>;
}

/**
 * A verifier that puts certificate paths to `openssl verify` (RFC 5280 §6, RFC 8705 §2.1 and §7.5).
 *
 * The same question asked while it is being answered takes the same process. A verdict stands until the next
 * notBefore or notAfter of any certificate involved, 10 minutes at most. Whatever cannot be found out rejects with
 * {@link ChainVerificationFailure}, and is not remembered. While all processes are taken, a path without the signatures
 * of a valid one is refused without asking.
 *
 * @example const verdict = await createChainVerifier({ clock: Date.now }).verify({ leaf, intermediates: [], anchors });
 */
export function createChainVerifier(options: ChainVerifierOptions): OpensslChainVerifier {
  const { clock, purpose = "sslclient", maxDepth = 8, maxIntermediates = 16, timeout = 5000 } = options;
  const { concurrency = 4, queue = 64, memo: memoLimits = { trusted: 4096, refused: 512 } } = options;
  const command = { executable: options.openssl ?? "openssl", path: options.path, timeout };
  const temporaryDirectory = options.temporaryDirectory ?? tmpdir();
  const slots = createProcessSlots({ concurrency, queue, timeout });
  const memo = createVerdictMemo(memoLimits);
  const open = new Map<string, Question>();
  const closing = new AbortController();

  const ask = async (key: string, path: CertificatePath, period: Period): Promise<ChainVerdict> => {
    const verdict = await slots.run(() => {
      if (closing.signal.aborted) throw new ChainVerificationFailure("the chain verifier was closed");
      const verification = { purpose, maxDepth, at: period.from, temporaryDirectory };
      return verifyWithOpenssl(command, path, verification, closing.signal);
    });
    memo.set(key, verdict, period);
    return verdict;
  };

  return {
    async verify(path) {
      if (closing.signal.aborted) throw new ChainVerificationFailure("the chain verifier was closed");
      if (path.anchors.length === 0) return refused("no trust anchors are configured");
      if (path.intermediates.length > maxIntermediates) return refused(`more than ${maxIntermediates} intermediates`);
      const now = clock();
      const key = digest(path, purpose);
      const remembered = memo.get(key, now);
      if (remembered !== undefined) return remembered;
      const asked = open.get(key);
      if (asked !== undefined && isWithin(asked, now)) return asked.answer;

      const validity = readPathValidity(path);
      if ("unreadable" in validity) return refused(validity.unreadable);
      // Those who wait for a process must not wait behind strangers.
      if (slots.areTaken() && !hasSignedPath(path)) return refused("no signatures lead from it to a trust anchor");
      const next = validity.instants.find((instant) => instant > now) ?? Infinity;
      const period = { from: now, until: Math.min(next, now + longestPeriod) };
      const question = { ...period, answer: ask(key, path, period) };
      open.set(key, question);
      try {
        return await question.answer;
      } finally {
        if (open.get(key) === question) open.delete(key);
      }
    },
    async close() {
      closing.abort();
      await Promise.allSettled([...open.values()].map(({ answer }) => answer));
      memo.clear();
    },
  };
}

function refused(reason: string): ChainVerdict {
  return { trusted: false, reason };
}

/** Each certificate by its own digest, each list by its length: no two questions have the same text. */
function digest({ leaf, intermediates, anchors }: CertificatePath, purpose: Purpose): string {
  const hash = createHash("sha256").update(`${purpose} ${intermediates.length} ${anchors.length} `);
  for (const der of [leaf, ...intermediates, ...anchors]) hash.update(createHash("sha256").update(der).digest());
  return hash.digest("base64");
}
