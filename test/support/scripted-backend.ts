import type { IntrospectionOperations } from "../../src/api-client/introspection-caller.ts";
import { openResourceServer } from "../../src/resource-server/resource-server.ts";
import type { ResourceServerOptions } from "../../src/resource-server/resource-server-options.ts";

export const x5tS256 = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0";
export const otherX5tS256 = "OID_Sc2yReTDx9QS7f1SMUzNxsh7khJYmaIwqXw8Yuw";
export const certificate = Object.freeze({ x5tS256 });

/** An instant for tests, milliseconds since 1970. */
export const start = 1_800_000_000_000;

/** Facts of a token bound to {@link certificate}, good for an hour. */
export function boundFacts(change: object = {}): Record<string, unknown> {
  return {
    active: true,
    sub: "user",
    client_id: "4711",
    scope: "read write",
    exp: start / 1000 + 3600,
    cnf: { "x5t#S256": x5tS256 },
    ...change,
  };
}

/** A backend in this process that answers standard introspection from a table and counts what it was asked. */
export interface ScriptedBackend extends IntrospectionOperations {
  readonly tokens: Map<string, Record<string, unknown>>;
  /** The tokens asked for, in order. */
  readonly asked: string[];
  /** The signals of the questions, in the same order. */
  readonly signals: (AbortSignal | undefined)[];
  /** Runs before an answer is made of what is in the table then; may wait or throw. */
  before: ((token: string, question: number) => Promise<void> | void) | undefined;
}

export function createScriptedBackend(): ScriptedBackend {
  const tokens: ScriptedBackend["tokens"] = new Map();
  const asked: string[] = [];
  const signals: (AbortSignal | undefined)[] = [];
  const backend: ScriptedBackend = {
    tokens,
    asked,
    signals,
    before: undefined,
    async authIntrospectionStandard({ parameters }, options) {
      const token = new URLSearchParams(parameters).get("token") ?? "";
      signals.push(options?.signal);
      const facts = JSON.stringify(tokens.get(token) ?? { active: false });
      const question = asked.push(token);
      await backend.before?.(token, question);
      return { action: "OK", resultCode: "A145001", responseContent: facts };
    },
    authIntrospection: () => Promise.reject(new Error("not scripted")),
  };
  return backend;
}

/** A resource server over a scripted backend, with clocks that stand still until they are moved. */
export function createScripted(options: Partial<ResourceServerOptions> = {}) {
  const backend = createScriptedBackend();
  const time = { wall: start, monotonic: 5_000 };
  const resourceServer = openResourceServer(
    // Longer than any test takes: only a test about waiting is about time.
    { backend, timeout: 60_000, ...options },
    { clock: () => time.wall, monotonicClock: () => time.monotonic },
  );
  return {
    backend,
    resourceServer,
    /** Moves both clocks. */
    pass: (milliseconds: number): void => {
      time.wall += milliseconds;
      time.monotonic += milliseconds;
    },
    time,
    authorize: (token: string, more: Partial<Parameters<typeof resourceServer.authorize>[0]> = {}) =>
      resourceServer.authorize({ token, certificate, ...more }),
  };
}
