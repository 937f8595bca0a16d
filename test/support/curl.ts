/** As much of curl as README and the demo use: -s -i -H -d --data-urlencode --cacert --cert --key URL. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    silent: { type: "boolean", short: "s" },
    include: { type: "boolean", short: "i" },
    header: { type: "string", short: "H", multiple: true, default: [] },
    data: { type: "string", short: "d", multiple: true, default: [] },
    "data-urlencode": { type: "string", multiple: true, default: [] },
    cacert: { type: "string" },
    cert: { type: "string" },
    key: { type: "string" },
  },
});
const url = positionals[0] ?? "";
const file = (path: string | undefined) => (path === undefined ? undefined : readFileSync(path));
/** `name=text` or `name@file`. */
const encoded = values["data-urlencode"].map((given) => {
  const [, name = "", sign = "", rest = ""] = /^([^=@]*)([=@])(.*)$/s.exec(given) ?? [];
  return `${name}=${encodeURIComponent(sign === "@" ? readFileSync(rest, "utf8") : rest)}`;
});
const data = [...values.data, ...encoded];
const body = data.length === 0 ? undefined : data.join("&");
const headers: Record<string, string> = {
  ...(body === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" }),
  ...Object.fromEntries(values.header.map((line) => line.split(/:\s*/, 2) as [string, string])),
};
const start = url.startsWith("https:") ? httpsRequest : httpRequest;
const request = start(
  url,
  {
    method: body === undefined ? "GET" : "POST",
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    ca: file(values.cacert),
    cert: file(values.cert),
    key: file(values.key),
  },
  (response) => {
    if (values.include === true) process.stdout.write(`HTTP/1.1 ${response.statusCode ?? 0}\r\n\r\n`);
    response.pipe(process.stdout);
  },
);
request.on("error", (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
request.end(body);
