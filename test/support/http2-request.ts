import { connect, type SecureClientSessionOptions } from "node:http2";
import type { HttpAnswer, HttpCall } from "./https-request.ts";

/** Whether Node's client can be told to send a single-valued field twice; that of Node 22 cannot. */
export const canRepeatFields = Number.parseInt(process.versions.node) >= 24;

/** One request over HTTP/2, on a connection of its own; like `send` otherwise. Trusts any server. */
export function sendHttp2({ url, as, body, method = "GET", headers = {}, signal }: HttpCall): Promise<HttpAnswer> {
  const { origin, pathname, search } = new URL(url);
  const options: SecureClientSessionOptions & { strictSingleValueFields: boolean } = {
    rejectUnauthorized: false,
    // A server must be seen to refuse what this client would not send.
    strictSingleValueFields: false,
    ...(as === undefined ? {} : { cert: as.pem, key: as.key }),
  };
  const session = connect(origin, options);
  return new Promise<HttpAnswer>((resolve, reject) => {
    session.on("error", reject);
    const stream = session.request({ ...headers, ":method": method, ":path": pathname + search });
    const leave = (): void => {
      session.destroy();
      reject(new Error("The client left."));
    };
    signal?.addEventListener("abort", leave, { once: true });
    const chunks: Buffer[] = [];
    let answered: Record<string, unknown> = {};
    stream.on("response", (received) => (answered = received));
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", reject);
    stream.on("end", () => {
      const { ":status": status, ...others } = answered;
      const text = Buffer.concat(chunks).toString("utf8");
      resolve({ status: Number(status ?? 0), headers: others as HttpAnswer["headers"], body: text });
    });
    stream.end(body);
  }).finally(() => {
    session.close();
  });
}
