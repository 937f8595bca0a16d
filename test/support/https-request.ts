import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import type { TestCertificate } from "./certificates.ts";

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface HttpCall extends Omit<RequestOptions, "headers"> {
  readonly headers?: Readonly<Record<string, string>>;
  readonly url: string;
  /** The certificate to present in the handshake. */
  readonly as?: TestCertificate | undefined;
  readonly body?: string | Buffer;
  /** Called when the whole request has been handed to the system. */
  readonly onSent?: () => void;
}

/** One request with Node's own client; a connection of its own unless an agent is given. Trusts any server. */
export function send({ url, as, body, onSent, ...options }: HttpCall): Promise<HttpAnswer> {
  const start = url.startsWith("https:") ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = start(
      url,
      {
        rejectUnauthorized: false,
        ...(options.agent === undefined ? { agent: false } : {}),
        ...(as === undefined ? {} : { cert: as.pem, key: as.key }),
        ...options,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
        });
      },
    );
    request.on("error", reject);
    if (onSent !== undefined) request.once("finish", onSent);
    request.end(body);
  });
}

/** A form POST, as OAuth clients send it; members that are `undefined` are left out. */
export function postForm(
  call: Omit<HttpCall, "body">,
  form: Readonly<Record<string, string | undefined>> | string,
): Promise<HttpAnswer> {
  const given = typeof form === "string" ? form : new URLSearchParams(onlyGiven(form)).toString();
  const headers = { "content-type": "application/x-www-form-urlencoded", ...call.headers };
  return send({ ...call, method: "POST", headers, body: given });
}

function onlyGiven(form: Readonly<Record<string, string | undefined>>): [string, string][] {
  return Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== undefined);
}

/** Basic credentials, form-encoded as RFC 6749 §2.3.1 has them. */
export function basic(userId: string | number, password: string): string {
  const halves = [String(userId), password].map((half) => encodeURIComponent(half).replaceAll("%20", "+"));
  return `Basic ${Buffer.from(halves.join(":")).toString("base64")}`;
}
