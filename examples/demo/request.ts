import { readFile } from "node:fs/promises";
import { request as httpRequest, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Identity } from "./certificates.ts";

export interface Answer {
  readonly status: number;
  readonly challenge: string | undefined;
  readonly location: string | undefined;
  readonly cookies: readonly string[];
  readonly body: string;
}

export interface Call {
  readonly method: "GET" | "POST";
  readonly url: string;
  /** The certificate that the client presents in the handshake. */
  readonly as?: Identity | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Sends one request over a connection of its own, so that every step has its own handshake. */
export async function send({ method, url, as, headers, body }: Call, authority: string): Promise<Answer> {
  const tls = {
    ca: await readFile(authority),
    ...(as === undefined ? {} : { cert: await readFile(as.certificate), key: await readFile(as.key) }),
  };
  const options: RequestOptions = { method, headers: { ...headers, connection: "close" }, agent: false };
  return new Promise((resolve, reject) => {
    const start = url.startsWith("https:") ? httpsRequest : httpRequest;
    const request = start(url, { ...options, ...tls }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const { "www-authenticate": challenge, location, "set-cookie": cookies = [] } = response.headers;
        const status = response.statusCode ?? 0;
        resolve({ status, challenge, location, cookies, body: Buffer.concat(chunks).toString("utf8") });
      });
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}
