import { type ForgedDialect, dialectOfHeader, dialects, forgedLines, type Spelling, spellings } from "./dialects.ts";
import { type ProbedAddress, type Identity, type RawAnswer, sendRawRequest } from "./raw-request.ts";

/** `opened`: the token was good enough; `refused`: it was not; `unclear`: the answer says neither. */
export type Judgement = "opened" | "refused" | "unclear";

/** Malformed, without authorization, forbidden, and too large for a front end to look at. */
const refusals: ReadonlySet<number> = new Set([400, 401, 403, 413, 431]);

/**
 * Says what an answer means for the token that was sent.
 *
 * A 2xx and a 3xx come from behind the check, and so does a 403 for a scope: the token was believed, and covers less
 * (RFC 6750 §3.1). Every other 4xx (404, 429, …) and every 5xx may come from anywhere. No answer is a refusal for what
 * breaks HTTP's grammar, and unclear for all else.
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
 * An answer in a few words, for people: its status or why there was none.
 *
 * @example sayAnswer({ error: "ECONNREFUSED", reached: false }) // "no answer (ECONNREFUSED)"
 */
function sayAnswer(answer: RawAnswer): string {
  return "error" in answer ? `no answer (${answer.error})` : String(answer.status);
}

/** What a probe is made of: a thief's token, the public certificate that it is bound to, and where to try them. */
export interface Probe {
  readonly endpoint: ProbedAddress;
  /** The value of the Host field, and the request's target. */
  readonly authority: string;
  readonly target: string;
  readonly token: string;
  /** The DER of the certificate that the token is bound to. */
  readonly certificate: Uint8Array;
  /** The same certificate with its key; without it nothing shows that the token opens the API at all. */
  readonly owner?: Identity | undefined;
  /** A certificate that the token is not bound to, for the handshake; never used over plain HTTP. */
  readonly stranger?: (Identity & { readonly der: Uint8Array }) | undefined;
  /** Names of headers to try besides those of the known dialects. */
  readonly headers: readonly string[];
}

export interface ProbeResult {
  readonly verdict: "not believed" | "believed" | "inconclusive";
  /** Why nothing can be said, where that is so. */
  readonly reason?: string;
  /** What was asked without a forged header, and how it was answered. */
  readonly comparisons: readonly { readonly asked: string; readonly answer: string }[];
  /** Whether the token was seen to open the API with its own certificate. */
  readonly controlled: boolean;
  readonly dialects: readonly DialectResult[];
  readonly requests: number;
}

interface DialectResult {
  readonly name: string;
  readonly tried: number;
  /** Header, spelling and handshake of what was believed, and of what was answered by neither yes nor no. */
  readonly believed: readonly string[];
  readonly unclear: readonly string[];
}

/** So many requests without any answer, one after another, and the API is taken to be gone. */
const patience = 3;

class Inconclusive extends Error {}

/**
 * Sends forged certificate headers, one request after another, and says whether any made the API accept the token.
 *
 * Believed is what opens the API with a token that it refuses without the header, with the same handshake. That it is
 * the missing certificate for which it refuses, and no other reason, the owner's own requests show, before and after.
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
  if (results.some(({ unclear }) => unclear.length > 0)) reason ??= "some answers say neither yes nor no";
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

/** A client's side of the TLS handshake, and how it is called in the report. */
interface Handshake {
  readonly called: string;
  readonly identity?: Identity & { readonly der: Uint8Array };
  /** Without a forged header the connection just ends: that is how the token is refused, in TLS or behind it. */
  readonly hangsUp?: true;
}

const withoutCertificate: Handshake = { called: "without a certificate" };

/** The handshakes in which a forged header can make a difference: those that the API's TLS takes part in. */
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

const nothingTaken = "the API's TLS takes neither no certificate nor an unknown one; --stranger can give it another";

/** TLS 1.2 says so within the handshake, TLS 1.3 after it. */
function isRefusedByTls(answer: RawAnswer): boolean {
  return "error" in answer && /^ERR_SSL_.*ALERT/.test(answer.error);
}

/** Some servers say nothing, of the certificate or of the request; from here that looks the same. */
function hasHungUp(answer: RawAnswer): boolean {
  return "error" in answer && answer.reached && /^(ECONNRESET|EPIPE|closed)$/.test(answer.error);
}

function checkRefused(answer: RawAnswer, how: string): void {
  const judgement = judgeAnswer(answer);
  if (judgement === "refused") return;
  const what = judgement === "opened" ? "accepted" : "answered in a way that is no refusal";
  throw new Inconclusive(`the token is ${what} ${how} and without any header (${sayAnswer(answer)})`);
}

async function checkOwner(
  compare: (asked: string, identity: Identity) => Promise<RawAnswer>,
  owner: Identity,
  asked: string,
): Promise<void> {
  const answer = await compare(asked, owner);
  if (judgeAnswer(answer) === "opened") return;
  throw new Inconclusive(`the token does not open the API ${asked} either (${sayAnswer(answer)})`);
}

interface Asker {
  readonly send: (lines: readonly string[], identity?: Identity) => Promise<RawAnswer>;
  readonly requests: () => number;
}

/** One request after another with the token; the same one is not sent twice, unless it has no forged line. */
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
      if (unanswered >= patience) throw new Inconclusive(`the API stopped answering (${sayAnswer(answer)})`);
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
