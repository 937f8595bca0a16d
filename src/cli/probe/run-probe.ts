import { type ForgedDialect, dialectOfHeader, dialects, forgedLines, type Spelling, spellings } from "./dialects.ts";
import { type ProbedAddress, type Identity, type RawAnswer, sendRawRequest } from "./raw-request.ts";

/** `opened`: the token gave access; `refused`: it did not; `unclear`: the response does not tell. */
export type Judgement = "opened" | "refused" | "unclear";

/** Malformed, unauthorized, forbidden, and too large for a front end. */
const refusals: ReadonlySet<number> = new Set([400, 401, 403, 413, 431]);

/**
 * Judges what a response says about the token.
 *
 * 2xx and 3xx come from behind the check, and so does 403 for a scope: the token was believed, but lacks the scope
 * (RFC 6750 §3.1). Any other 4xx (404, 429, …) and 5xx may come from anywhere. No response is a refusal if the request
 * violates HTTP's grammar, and unclear otherwise.
 *
 * @example judgeAnswer({ status: 401, challenge: "" }) // "refused"
 */
export function judgeAnswer(answer: RawAnswer, malformed = false): Judgement {
  if ("error" in answer) {
    const ended = answer.reached && answer.error !== "ETIMEDOUT";
    return malformed && ended ? "refused" : "unclear";
  }
  const { status, challenge } = answer;
  if (status >= 200 && status < 400) return "opened";
  if (status === 403 && /\berror="?insufficient_scope\b/i.test(challenge)) return "opened";
  return refusals.has(status) ? "refused" : "unclear";
}

/**
 * Describes a response for humans: its status, or why there is none.
 *
 * @example sayAnswer({ error: "ECONNREFUSED", reached: false }) // "no answer (ECONNREFUSED)"
 */
function sayAnswer(answer: RawAnswer): string {
  return "error" in answer ? `no answer (${answer.error})` : String(answer.status);
}

/** The input of a probe: a stolen token, its public certificate, and the API. */
export interface Probe {
  readonly endpoint: ProbedAddress;
  /** The Host header and the request target. */
  readonly authority: string;
  readonly target: string;
  readonly token: string;
  /** The DER of the certificate that the token is bound to. */
  readonly certificate: Uint8Array;
  /** The same certificate with its key, to verify that the token gives access to the API. */
  readonly owner?: Identity | undefined;
  /** A certificate that the token is not bound to, for the handshake; never used over plain HTTP. */
  readonly stranger?: (Identity & { readonly der: Uint8Array }) | undefined;
  /** Names of additional headers to try. */
  readonly headers: readonly string[];
}

export interface ProbeResult {
  readonly verdict: "not believed" | "believed" | "inconclusive";
  /** Why the result is inconclusive. */
  readonly reason?: string;
  /** Requests without forged headers, and their responses. */
  readonly comparisons: readonly { readonly asked: string; readonly answer: string }[];
  /** Whether it was verified that the token gives access with its own certificate. */
  readonly controlled: boolean;
  readonly dialects: readonly DialectResult[];
  readonly requests: number;
}

interface DialectResult {
  readonly name: string;
  readonly tried: number;
  /** Header, spelling and handshake of believed and of unclear attempts. */
  readonly believed: readonly string[];
  readonly unclear: readonly string[];
}

/** Consecutive requests without a response after which the probe gives up. */
const mostUnanswered = 3;

class Inconclusive extends Error {}

/**
 * Sends forged certificate headers, one request after another, and reports whether the API accepted the token.
 *
 * A header is believed if the API accepts the token with it, and refuses it without it in the same handshake. Requests
 * of the owner, before and after, verify that the API refuses because of the certificate.
 *
 * @example (await runProbe(probe)).verdict // "not believed"
 */
export async function runProbe(probe: Probe): Promise<ProbeResult> {
  const comparisons: { asked: string; answer: string }[] = [];
  const results: DialectResult[] = [];
  const asker = createAsker(probe);
  const compare = async (asked: string, identity?: Identity): Promise<RawAnswer> => {
    const answer = await asker.send([], identity);
    comparisons.push({ asked, answer: sayAnswer(answer) });
    return answer;
  };
  let reason: string | undefined;
  try {
    const handshakes = await comparable(probe, compare);
    for (const dialect of [...dialects, ...probe.headers.map(dialectOfHeader)]) {
      results.push(await tryDialect(dialect, probe, handshakes, asker));
    }
    if (handshakes.every(({ hangsUp }) => hangsUp === true)) reason = nothingTaken;
    if (probe.owner !== undefined) await checkOwner(compare, probe.owner, "with its own certificate, afterwards");
  } catch (error) {
    if (!(error instanceof Inconclusive)) throw error;
    reason = error.message;
  }
  if (results.some(({ unclear }) => unclear.length > 0))
    reason ??= "some answers are neither an acceptance nor a refusal";
  const believed = results.some((result) => result.believed.length > 0);
  return {
    verdict: believed ? "believed" : reason === undefined ? "not believed" : "inconclusive",
    ...(reason !== undefined && { reason }),
    comparisons,
    controlled: probe.owner !== undefined,
    dialects: results,
    requests: asker.requests(),
  };
}

/** The client's side of the TLS handshake, and its name in the report. */
interface Handshake {
  readonly called: string;
  readonly identity?: Identity & { readonly der: Uint8Array };
  /** Without a forged header the connection ends: this is how the API refuses the token, in TLS or after it. */
  readonly hangsUp?: true;
}

const withoutCertificate: Handshake = { called: "without a certificate" };

/** The handshakes that the API's TLS accepts, so that a forged header can make a difference. */
async function comparable(
  { owner, stranger }: Probe,
  compare: (asked: string, identity?: Identity) => Promise<RawAnswer>,
): Promise<Handshake[]> {
  const wanted = stranger === undefined ? [] : [{ called: "with another certificate", identity: stranger }];
  const possible: Handshake[] = [];
  for (const handshake of [withoutCertificate, ...wanted]) {
    const answer = await compare(handshake.called, handshake.identity);
    if (isRefusedByTls(answer)) continue;
    if (hasHungUp(answer)) {
      possible.push({ ...handshake, hangsUp: true });
      continue;
    }
    if ("error" in answer) throw new Inconclusive(`the API gave ${sayAnswer(answer)} ${handshake.called}`);
    checkRefused(answer, handshake.called);
    possible.push(handshake);
  }
  if (possible.length === 0) throw new Inconclusive(nothingTaken);
  if (owner !== undefined) await checkOwner(compare, owner, "with its own certificate");
  return possible;
}

const nothingTaken = "the API's TLS requires a certificate and rejects unknown ones; give another with --stranger";

/** TLS 1.2 refuses during the handshake, TLS 1.3 after it. */
function isRefusedByTls(answer: RawAnswer): boolean {
  return "error" in answer && /^ERR_SSL_.*ALERT/.test(answer.error);
}

/** Some servers close the connection silently, because of the certificate or the request. */
function hasHungUp(answer: RawAnswer): boolean {
  return "error" in answer && answer.reached && /^(ECONNRESET|EPIPE|closed)$/.test(answer.error);
}

function checkRefused(answer: RawAnswer, how: string): void {
  const judgement = judgeAnswer(answer);
  if (judgement === "refused") return;
  const what = judgement === "opened" ? "accepted" : "answered without a clear refusal";
  throw new Inconclusive(`the token is ${what} ${how} and without any header (${sayAnswer(answer)})`);
}

async function checkOwner(
  compare: (asked: string, identity: Identity) => Promise<RawAnswer>,
  owner: Identity,
  asked: string,
): Promise<void> {
  const answer = await compare(asked, owner);
  if (judgeAnswer(answer) === "opened") return;
  throw new Inconclusive(`the token does not open the API ${asked} (${sayAnswer(answer)})`);
}

interface Asker {
  readonly send: (lines: readonly string[], identity?: Identity) => Promise<RawAnswer>;
  readonly requests: () => number;
}

/** Sends one request after another. Repeated forged requests are answered from a cache. */
function createAsker({ endpoint, authority, target, token }: Probe): Asker {
  const answers = new Map<string, RawAnswer>();
  let requests = 0;
  let unanswered = 0;
  const head = [`GET ${target} HTTP/1.1`, `Host: ${authority}`, `Authorization: Bearer ${token}`];
  return {
    requests: () => requests,
    async send(lines, identity) {
      const key = [identity === undefined ? "" : "identity", ...lines].join("\n");
      const known = lines.length === 0 ? undefined : answers.get(key);
      if (known !== undefined) return known;
      requests += 1;
      const answer = await sendRawRequest(endpoint, [...head, ...lines, "Connection: close"], identity);
      answers.set(key, answer);
      unanswered = !("error" in answer) || hasHungUp(answer) ? 0 : unanswered + 1;
      if (unanswered >= mostUnanswered) throw new Inconclusive(`the API stopped answering (${sayAnswer(answer)})`);
      return answer;
    },
  };
}

async function tryDialect(
  { name, forgeries }: ForgedDialect,
  { certificate }: Probe,
  handshakes: readonly Handshake[],
  { send }: Asker,
): Promise<DialectResult> {
  const result = { name, tried: 0, believed: [] as string[], unclear: [] as string[] };
  const attempts = handshakes.flatMap((handshake) =>
    forgeries.flatMap((forgery) => spellings.map((spelling: Spelling) => ({ handshake, forgery, spelling }))),
  );
  for (const { handshake, forgery, spelling } of attempts) {
    const { identity, called } = handshake;
    const answer = await send(forgedLines(forgery, spelling, { der: certificate, decoy: identity?.der }), identity);
    const judgement = judgeAnswer(answer, spelling.malformed);
    result.tried += 1;
    if (judgement === "refused" || (handshake.hangsUp === true && (hasHungUp(answer) || isRefusedByTls(answer)))) {
      continue;
    }
    const said = `${forgery.header} (${forgery.encoding}; ${spelling.name}; ${called}): ${sayAnswer(answer)}`;
    result[judgement === "opened" ? "believed" : "unclear"].push(said);
  }
  return result;
}
