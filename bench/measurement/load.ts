import { fileURLToPath } from "node:url";
import { startPinned } from "./pinned-process.ts";

/** What to keep asking, on how many connections. */
export interface LoadOrder {
  readonly port: number;
  /** Whole requests as they go over the wire, drawn at random. */
  readonly requests: readonly string[];
  /** Text that every answer has to contain. */
  readonly expected: string;
  readonly connections: number;
}

/** What came back since the last reading; times in milliseconds. */
export interface LoadReading {
  readonly answers: number;
  readonly milliseconds: number;
  /** The share of the time in which it had something to do: near 1, and it is the load that was measured. */
  readonly busy: number;
  readonly p50: number;
  readonly p99: number;
}

/** One process that loads one server at a time. */
export interface Load {
  begin(order: LoadOrder): Promise<void>;
  read(): Promise<LoadReading>;
  end(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the process that loads. */
export async function startLoad(): Promise<Load> {
  const child = startPinned(fileURLToPath(new URL("load-process.ts", import.meta.url)), { processor: 1 });
  await child.started;
  return {
    async begin(order) {
      await child.ask(order);
    },
    read: () => child.ask("read") as Promise<LoadReading>,
    async end() {
      await child.ask("end");
    },
    stop: () => child.stop(),
  };
}

/** A call of the API, before it is written as octets. */
export interface Call {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The call as it goes over the wire. */
export function requestText({ path, headers, body }: Call): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.join("")}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** Makes the call once and answers the JSON that came back. */
export async function callOnce(port: number, { path, headers, body }: Call): Promise<Record<string, unknown>> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", headers, body });
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Record<string, unknown>;
}
