import { createServer, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A proxy between the APIs and the backend: it passes everything on, and can silence the streams of events. */
export interface StreamProxy {
  readonly baseUrl: string;
  /** The introspection requests that it passed on. */
  readonly questions: () => number;
  /** From now on it passes nothing of a stream on, with the connections left open: the worst kind of fault. */
  silenceStreams(): void;
  close(): void;
}

/** Starts the proxy in this process. */
export async function startStreamProxy(backendPort: number): Promise<StreamProxy> {
  let questions = 0;
  let silent = false;
  const server = createServer((incoming, outgoing) => {
    const isStream = incoming.method === "GET";
    if (!isStream) questions += 1;
    const { url: path, method, headers } = incoming;
    const passing = request({ port: backendPort, path, method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      if (isStream) {
        answer.on("data", (chunk: Buffer) => {
          if (!silent) outgoing.write(chunk);
        });
        answer.on("end", () => {
          if (!silent) outgoing.end();
        });
        outgoing.flushHeaders();
      } else {
        answer.pipe(outgoing);
      }
      answer.on("error", () => outgoing.destroy());
    });
    passing.on("error", () => {
      fail(outgoing);
    });
    outgoing.on("close", () => passing.destroy());
    incoming.pipe(passing);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    questions: () => questions,
    silenceStreams() {
      silent = true;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function fail(outgoing: ServerResponse): void {
  if (outgoing.headersSent) outgoing.destroy();
  else outgoing.writeHead(502).end();
}
