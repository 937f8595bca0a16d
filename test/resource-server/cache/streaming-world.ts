import { openResourceServer } from "../../../src/resource-server/resource-server.ts";
import { boundFacts, certificate, createScriptedBackend, start } from "../../support/scripted-backend.ts";
import { createScriptedStream, type ScriptedConnection } from "./scripted-stream.ts";
import { createVirtualTime } from "./virtual-time.ts";

/** The bounds of the model's library, milliseconds. */
const bounds = { ttl: 3000, lease: 1000, patience: 2000, signal: 3000 };
const pollEvery = 250;
/** Until the stream is surely whole again after a trouble: the longest pause, a connection, a poll, its delivery. */
const recovery = 17_000;
/** A delivery that takes longer is a trouble. */
const promptly = 200;

interface Line {
  readonly connection: ScriptedConnection;
  /** Where its reader will stand when it has all that was sent. */
  at: string | undefined;
  lastDelivery: number;
}

/** An acceptance that came too late, or a signal that was not told in time. */
interface Violation {
  readonly what: "acceptance" | "signal";
  readonly token: string;
  readonly late: number;
  readonly bound: number;
  readonly whole: boolean;
}

/**
 * A backend, its stream, a network between and the library, in one virtual time: what the model test plays with.
 *
 * It knows when each token was revoked and since when nothing has troubled the stream, and by that alone judges each
 * acceptance and each signal: `violations`. `needless`: questions about what the stream vouched for.
 */
export function createStreamingWorld(tokens: readonly string[], nodeRate: number) {
  const time = createVirtualTime(start);
  const backend = createScriptedBackend();
  const stream = createScriptedStream();
  const revokedAt = new Map<string, number>();
  const askedAt = new Map<string, number>();
  const violations: Violation[] = [];
  const needless: string[] = [];
  /** Of every other token's acceptances: asking for the sake of signals must not be what keeps the bound. */
  const signals = new Map<string, Set<AbortSignal>>(
    tokens.filter((_, at) => at % 2 === 0).map((one) => [one, new Set()]),
  );
  const lines: Line[] = [];
  let events: { readonly keys: readonly string[] }[] = [];
  let epoch = 0;
  let delay = 20;
  let polling = true;
  let answerDelay = 0;
  let troubledAt = time.monotonic;
  /** What happens to the next event on its way. */
  let mishap: "lost" | "doubled" | "late" | undefined;

  const keysOf = (token: string): string[] => [`token:${token}`, `grant:${token.slice(0, 1)}`];
  const trouble = (): void => {
    troubledAt = time.monotonic;
  };
  const cursorAt = (position: number): string => `${epoch}:${position}`;
  for (const token of tokens) backend.tokens.set(token, boundFacts());

  const answer = backend.authIntrospectionStandard.bind(backend);
  const resourceServer = openResourceServer(
    {
      backend: {
        ...backend,
        authIntrospectionEvents: stream.open,
        async authIntrospectionStandard(request, more) {
          const token = new URLSearchParams(request.parameters).get("token") ?? "";
          const sent = time.monotonic;
          // The facts are read when the question is sent: whatever happens on the answer's way is not in it.
          const said = await answer(request, more);
          if (answerDelay > 0) {
            await new Promise<void>((resolve) => void time.clocks.schedule(resolve, answerDelay));
          }
          // Later it would be nobody's answer.
          if (time.monotonic - sent < bounds.patience) askedAt.set(token, sent);
          return { ...said, invalidationKeys: keysOf(token) };
        },
      },
      timeout: bounds.patience,
      cache: { ttl: bounds.ttl / 1000, lease: bounds.lease / 1000 },
    },
    time.clocks,
  );

  stream.onOpen = (connection) => {
    // Nothing is whole before it has begun.
    if (connection.cursor === undefined) trouble();
    lines.push({ connection, at: connection.cursor, lastDelivery: 0 });
  };

  function send(line: Line, message: unknown, later = 0): void {
    // In order, but for one that comes after those that were sent after it.
    const at = Math.max(line.lastDelivery, time.monotonic + delay);
    if (later === 0) line.lastDelivery = at;
    time.clocks.schedule(
      () => {
        line.connection.push(message);
      },
      at + later - time.monotonic,
    );
  }

  function poll(): void {
    time.clocks.schedule(poll, pollEvery);
    if (!polling) {
      trouble();
      return;
    }
    const polledAt = 9_000_000 + time.monotonic * nodeRate;
    const head = cursorAt(events.length);
    for (const line of lines) {
      if (line.connection.closed()) continue;
      const [ofEpoch, position] = (line.at ?? "none:0").split(":");
      if (ofEpoch !== String(epoch)) {
        send(line, { type: "reset", cursor: head });
        line.at = head;
      } else {
        for (let missed = Number(position); missed < events.length; missed++) {
          const cursor = cursorAt(missed + 1);
          const event = { type: "invalidation", after: cursorAt(missed), cursor, keys: events[missed]?.keys };
          const happened = mishap;
          mishap = undefined;
          if (happened !== undefined) trouble();
          if (happened !== "lost") send(line, event, happened === "late" ? 100 : 0);
          if (happened === "doubled") send(line, event);
        }
        line.at = head;
      }
      send(line, { type: "heartbeat", after: head, cursor: head, polledAt });
    }
  }
  poll();

  function lookAtSignals(token: string): void {
    const told = [...(signals.get(token) ?? [])].every(({ aborted }) => aborted);
    const late = time.monotonic - (revokedAt.get(token) ?? 0);
    if (!told) violations.push({ what: "signal", token, late, bound: bounds.signal, whole: false });
  }

  const latest = (): Line | undefined => lines.findLast(({ connection }) => !connection.closed());
  const isWhole = (since: number): boolean => troubledAt + recovery < since;

  return {
    time,
    violations,
    needless,
    isWhole,
    /** How many requests were let in. */
    accepted: 0,
    ask(token: string, answersAfter: number): void {
      answerDelay = answersAfter;
      const before = backend.asked.length;
      const asked = askedAt.get(token);
      const covered = asked !== undefined && isWhole(asked) && !revokedAt.has(token);
      void resourceServer.authorize({ token, certificate }).then(
        (accessToken) => {
          this.accepted += 1;
          signals.get(token)?.add(accessToken.signal);
          const revoked = revokedAt.get(token);
          if (revoked === undefined) return;
          const whole = isWhole(revoked);
          const bound = Math.max(whole ? bounds.lease : bounds.ttl, bounds.patience);
          const late = time.monotonic - revoked;
          if (late > bound) violations.push({ what: "acceptance", token, late, bound, whole });
        },
        () => undefined,
      );
      if (covered && backend.asked.length > before) needless.push(token);
    },
    /** Ends the tokens and tells of it by one event, or by none (its log was restored from before). */
    revoke(key: string, told = true): void {
      for (const token of tokens) {
        if (!keysOf(token).includes(key)) continue;
        backend.tokens.delete(token);
        if (revokedAt.has(token)) continue;
        revokedAt.set(token, time.monotonic);
        time.clocks.schedule(() => {
          lookAtSignals(token);
        }, bounds.signal + 1);
      }
      if (told) events.push({ keys: [key] });
    },
    restore(): void {
      trouble();
      epoch += 1;
      events = [];
    },
    setDelay(milliseconds: number): void {
      if (milliseconds > promptly || delay > promptly) trouble();
      delay = milliseconds;
    },
    setPolling(on: boolean): void {
      if (polling !== on) trouble();
      polling = on;
    },
    cut(): void {
      trouble();
      latest()?.connection.fail(new Error("cut"));
    },
    /** The next event on its way is lost, doubled, or comes after what follows it. */
    spoil(how: "lost" | "doubled" | "late"): void {
      trouble();
      mishap = how;
    },
    garbage(): void {
      trouble();
      latest()?.connection.push({ type: "heartbeat", after: "?", cursor: "?", polledAt: 1e15 });
    },
    /** The library's process is too busy to look at anything. */
    stall(milliseconds: number): void {
      trouble();
      time.stall(milliseconds);
    },
    async pass(milliseconds: number): Promise<void> {
      // A long delay troubles the stream as long as it lasts.
      if (delay > promptly) trouble();
      await time.pass(milliseconds);
      if (delay > promptly) trouble();
    },
    close: () => resourceServer.close(),
  };
}
