/**
 * The load: connections that each send a request, read its answer whole, and send the next.
 *
 * It never sleeps. The server's write would have to wake a sleeping process. In a virtual machine that costs the server
 * up to 18 µs per request, which a fast server would not pay, because it finds the load awake.
 */
import { connect, type Socket } from "node:net";
import { stopMessage } from "./pinned-process.ts";
import type { LoadOrder, LoadReading } from "./load.ts";

let sockets: Socket[] = [];
let latencies: number[] = [];
let busy = 0;
let since = performance.now();

function begin({ port, requests, expected, connections }: LoadOrder): void {
  end();
  const octets = requests.map((request) => Buffer.from(request));
  const draw = (): Buffer => octets[Math.floor(Math.random() * octets.length)] ?? Buffer.alloc(0);
  sockets = Array.from({ length: connections }, () => {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    let held = "";
    let sentAt = 0;
    const send = (): void => {
      sentAt = performance.now();
      socket.write(draw());
    };
    socket.on("data", (chunk) => {
      const arrivedAt = performance.now();
      held += chunk.toString("latin1");
      if (!isWhole(held)) return;
      if (!held.startsWith("HTTP/1.1 200 ") || !held.includes(expected)) {
        throw new Error(`another answer than expected: ${held.slice(0, held.indexOf("\r\n"))}`);
      }
      latencies.push(arrivedAt - sentAt);
      held = "";
      send();
      busy += performance.now() - arrivedAt;
    });
    socket.on("connect", send);
    return socket;
  });
  stayAwake();
}

function stayAwake(): void {
  if (sockets.length > 0) setImmediate(stayAwake);
}

function isWhole(text: string): boolean {
  const head = text.indexOf("\r\n\r\n");
  if (head < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1];
  if (length === undefined) throw new Error("an answer without Content-Length");
  return text.length >= head + 4 + Number(length);
}

function end(): void {
  for (const socket of sockets) socket.destroy();
  sockets = [];
}

/** The counters since the last reading. */
function read(): LoadReading {
  const sorted = latencies.toSorted((a, b) => a - b);
  const milliseconds = performance.now() - since;
  const reading: LoadReading = {
    answers: sorted.length,
    milliseconds,
    busy: busy / milliseconds,
    p50: sorted[Math.floor(sorted.length * 0.5)] ?? Number.NaN,
    p99: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
  };
  latencies = [];
  busy = 0;
  since = performance.now();
  return reading;
}

process.on("message", (message: LoadOrder | "read" | "end" | typeof stopMessage) => {
  if (message === stopMessage) process.exit(0);
  if (message === "read") {
    process.send?.(read());
    return;
  }
  if (message === "end") end();
  else begin(message);
  process.send?.("done");
});
process.send?.("ready");
