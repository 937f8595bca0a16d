import test from "ava";
import { type ApiConnection, resolveConnection } from "../../src/api-client/api-connection.ts";

const right: ApiConnection = {
  baseUrl: "https://backend.example.com",
  serviceId: 1,
  credentials: { apiSecret: "s3cr3t" },
};

const accepted = [
  "https://backend.example.com",
  "https://backend.example.com/",
  "https://backend.example.com:8443/idp",
  "http://localhost:8705",
  "http://127.0.0.1:8705",
  "http://127.9.9.9",
  "http://[::1]:8705",
  "http://[::ffff:127.0.0.1]:8705",
  "unix:/run/certbound.sock",
];
for (const baseUrl of accepted) {
  test(`a base URL is accepted: ${baseUrl}`, (t) => {
    t.notThrows(() => resolveConnection({ ...right, baseUrl }));
  });
}

const refused = [
  "",
  "backend.example.com",
  "http://backend.example.com",
  "http://localhost.example.com",
  "http://127.0.0.1.example.com",
  "http://10.0.0.1",
  "http://0.0.0.0:8705",
  "http://[::]:8705",
  "ftp://backend.example.com",
  "https://user:password@backend.example.com",
  "https://backend.example.com/api",
  "https://backend.example.com/idp/api/",
  "https://backend.example.com?x=1",
  "https://backend.example.com#x",
  "unix:run/certbound.sock",
  "unix://host/run/certbound.sock",
];
for (const baseUrl of refused) {
  test(`a base URL is refused: ${baseUrl}`, (t) => {
    const error = t.throws(() => resolveConnection({ ...right, baseUrl }), {
      instanceOf: TypeError,
      message: /^baseUrl /,
    });
    t.like(error, { code: "ERR_INVALID_OPTION" });
    if (baseUrl !== "") t.false(error.message.includes(baseUrl));
  });
}

test("plain HTTP to another machine needs to be asked for", (t) => {
  const connection = resolveConnection({ ...right, baseUrl: "http://10.0.0.1:8705", allowInsecure: true });
  t.is(connection.url("/auth/token", "service"), "http://10.0.0.1:8705/api/auth/token");
});

const wrong: Record<string, [option: RegExp, change: Record<string, unknown>]> = {
  "an option that is not known": [/^timout /, { timout: 1 }],
  "a service id that is text": [/^serviceId /, { serviceId: "1" }],
  "a service id of 0": [/^serviceId /, { serviceId: 0 }],
  "no credentials": [/^credentials /, { credentials: undefined }],
  "empty credentials": [/^credentials /, { credentials: {} }],
  "both credentials": [/^credentials /, { credentials: { apiSecret: "s3cr3t", accessToken: "s3cr3t" } }],
  "an empty secret": [/^credentials\.apiSecret /, { credentials: { apiSecret: "" } }],
  "a token with a line break": [/^credentials\.accessToken /, { credentials: { accessToken: "s3cr3t\r\nX: y" } }],
  "a total timeout of 0": [/^timeout\.total /, { timeout: { total: 0 } }],
  "an attempt timeout that is no number": [/^timeout\.attempt /, { timeout: { attempt: Number.NaN } }],
  "an endless timeout": [/^timeout\.total /, { timeout: { total: Infinity } }],
  "no sockets": [/^maxSockets /, { maxSockets: 0 }],
  "a certificate without its key": [/^tls /, { tls: { cert: "s3cr3t" } }],
  "TLS options over plain HTTP": [/^tls /, { baseUrl: "http://localhost", tls: { ca: "s3cr3t" } }],
};
for (const [what, [message, change]] of Object.entries(wrong)) {
  test(`refused with the option's name and not its value: ${what}`, (t) => {
    const error = t.throws(() => resolveConnection({ ...right, ...change }), {
      instanceOf: TypeError,
      message,
    });
    t.like(error, { code: "ERR_INVALID_OPTION" });
    t.false(error.message.includes("s3cr3t"));
  });
}
