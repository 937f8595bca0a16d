import type { IncomingMessage, ServerResponse } from "node:http";

/** Whatever is looked at in it throws. */
function hostile(): object {
  const fail = (): never => {
    throw new Error("Nothing of this can be read.");
  };
  return new Proxy({}, { get: fail, has: fail, ownKeys: fail, getPrototypeOf: fail, getOwnPropertyDescriptor: fail });
}

/** An error as some libraries make them: its members are worked out when they are read. */
function unreadableError(): Error {
  const get = (): never => {
    throw new Error("This member cannot be read.");
  };
  return Object.defineProperties(new Error("hidden"), { message: { get }, stack: { get }, code: { get } });
}

/* eslint-disable @typescript-eslint/prefer-promise-reject-errors -- what hooks do. */
const throwing = (thrown: () => unknown) => (): never => {
  throw thrown();
};
const rejecting = (thrown: () => unknown) => (): Promise<never> => Promise.reject(thrown());
/* eslint-enable */

/** The ways in which a function of the user's fails; each but the last may be that of a hook that nobody waits for. */
export const failures = {
  throws: throwing(() => new Error("The hook's own fault.")),
  rejects: rejecting(() => new Error("The hook's own fault.")),
  // Express takes these for leave to go on, or to leave out what comes next.
  "throws a text": throwing(() => "route"),
  "throws nothing": throwing(() => undefined),
  "throws null": throwing(() => null),
  "rejects with a text": rejecting(() => "router"),
  "rejects with nothing": rejecting(() => undefined),
  "throws what cannot be read": throwing(hostile),
  "throws an error that cannot be read": throwing(unreadableError),
  "rejects with what cannot be read": rejecting(hostile),
  "answers what cannot be read": hostile,
  "answers a thenable that throws": () => ({
    then() {
      throw new Error("This then throws.");
    },
  }),
  "never ends": () => new Promise<never>(() => undefined),
} as const satisfies Record<string, () => unknown>;

export type Failure = keyof typeof failures;

type Exchange = readonly [request: IncomingMessage, response: ServerResponse];

const fail = (): never => {
  throw new Error("The response's own fault.");
};

/** The ways in which a response cannot be written; each is done to one of Node's own before anybody answers. */
export const brokenResponses = {
  "writeHead throws": (_request, response) => {
    response.writeHead = fail;
  },
  "end throws": (_request, response) => {
    response.end = fail;
  },
  "a getter throws": (_request, response) => {
    Object.defineProperty(response, "headersSent", { get: fail });
  },
  "setHeader throws": (_request, response) => {
    response.setHeader = fail;
  },
  "another answer has begun": (_request, response) => {
    response.writeHead(200);
    response.write("begun");
  },
  "another answer has ended": (_request, response) => {
    response.writeHead(204);
    response.end();
  },
  "the socket is destroyed": (request) => {
    request.socket.destroy();
  },
} as const satisfies Record<string, (...exchange: Exchange) => void>;

export type BrokenResponse = keyof typeof brokenResponses;

/** What reached the process itself: any of these ends one that does not count them. */
export interface Escaped {
  readonly uncaught: string[];
  readonly unhandled: string[];
}

/** Counts what would end this process. */
export function countEscaped(): Escaped {
  const escaped: Escaped = { uncaught: [], unhandled: [] };
  process.on("uncaughtException", (error: unknown) => escaped.uncaught.push(textOf(error)));
  process.on("unhandledRejection", (error: unknown) => escaped.unhandled.push(textOf(error)));
  return escaped;
}

function textOf(error: unknown): string {
  try {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  } catch {
    return "unreadable";
  }
}
