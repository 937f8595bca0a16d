import { once } from "node:events";
import { connect } from "node:net";
import { authorization } from "./secret-clients.ts";

/**
 * Sends the head of an introspection request, and resolves when the backend has read it; `finish` sends the body and
 * resolves to the answer.
 */
export async function beginRequest(url: string): Promise<{ readonly finish: () => Promise<string> }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const body = '{"parameters":"token=unknown"}';
  const head = ["POST /api/auth/introspection/standard HTTP/1.1", "Host: backend", `Authorization: ${authorization}`];
  const rest = ["Content-Type: application/json", `Content-Length: ${body.length}`, "Expect: 100-continue"];
  socket.write(`${[...head, ...rest].join("\r\n")}\r\n\r\n`);
  await once(socket, "data");
  return {
    async finish() {
      socket.write(body);
      const [answer] = (await once(socket, "data")) as [Buffer];
      return answer.toString();
    },
  };
}
