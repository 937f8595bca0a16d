import { fileURLToPath } from "node:url";
import { startPinned } from "./pinned-process.ts";

/** The requests to repeat, and on how many connections. */
export interface LoadOrder {
  readonly port: number;
  /** Whole requests as they go over the wire, drawn at random. */
  readonly requests: readonly string[];
  /** Text that every response must contain. */
  readonly expected: string;
  readonly connections: number;
}

/** The responses since the last reading; times in milliseconds. */
export interface LoadReading {
  readonly answers: number;
  readonly milliseconds: number;
  /** The share of the time in which the load was busy. Near 1, the load was measured, not the server. */
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

/** Makes the call once and returns the JSON of the response. */
export async function callOnce(port: number, { path, headers, body }: Call): Promise<Record<string, unknown>> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", headers, body });
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Record<string, unknown>;
}
