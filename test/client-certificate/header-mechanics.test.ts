import { once } from "node:events";
import { createServer, get, type IncomingMessage } from "node:http";
import { createServer as createHttp2, connect as connectHttp2 } from "node:http2";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import test from "ava";
import { envoy, nginx, rfc9440 } from "../../src/resource-server/index.ts";
import type { CertificateOfConnection } from "../../src/client-certificate/certificate-source.ts";
import { createSelfSigned } from "../support/certificates.ts";
import { listenFor, loopback as from, told } from "../support/header-listener.ts";
import { der, vector, x5tS256 } from "./certificate-vectors.ts";

const whole = { x5tS256, octets: der.length };
const header = "X-SSL-Cert";
const { value } = vector("nginx_escaped");
const sequence = vector("rfc9440").value;

test("a header's name is read in any case", async (t) => {
  const { ask } = await listenFor(t, nginx({ from, header }));
  for (const name of ["X-SSL-Cert", "x-ssl-cert", "X-SSL-CERT", "x-Ssl-cErT"])
    t.deepEqual(await ask([name, value]), whole);
});

test("a name with underscores is another header, and is ignored", async (t) => {
  const forwarded = await listenFor(t, rfc9440({ from }));
  for (const name of ["client_cert", "Client_Cert", "CLIENT_CERT"]) t.is(await forwarded.ask([name, sequence]), null);
  t.deepEqual(await forwarded.ask(["client_cert", ":AAAA:"], ["Client-Cert", sequence]), whole);
  const escaped = await listenFor(t, nginx({ from, header }));
  t.is(await escaped.ask(["X_SSL_Cert", value]), null);
});

test("a header that occurs twice is rejected, in any order and spelling, also with equal values", async (t) => {
  const { ask } = await listenFor(t, rfc9440({ from }));
  const other = `:${createSelfSigned({ subject: "CN=other" }).der.toString("base64")}:`;
  for (const second of [sequence, other, "", "(null)"]) {
    for (const name of ["Client-Cert", "client-cert"]) {
      t.deepEqual(await ask(["Client-Cert", sequence], [name, second]), { unreadable: "header_repeated" });
      t.deepEqual(await ask([name, second], ["Client-Cert", sequence]), { unreadable: "header_repeated" });
    }
  }
  t.deepEqual(await ask(["Client-Cert", ""], ["Client-Cert", ""]), { unreadable: "header_repeated" });
});

test("a list where one value is due is refused as a header that is there twice", async (t) => {
  const forwarded = await listenFor(t, rfc9440({ from }));
  for (const list of [`${sequence}, ${sequence}`, `${sequence},`, `,${sequence}`, `${sequence};a="b,c"`]) {
    t.deepEqual(await forwarded.ask(["Client-Cert", list]), { unreadable: "header_repeated" });
  }
  const escaped = await listenFor(t, nginx({ from, header }));
  t.deepEqual(await escaped.ask([header, `${value}, ${value}`]), { unreadable: "header_repeated" });
});

test("Envoy's header is a list in one line; a second line is refused", async (t) => {
  const { ask } = await listenFor(t, envoy({ from }));
  const name = "X-Forwarded-Client-Cert";
  t.deepEqual(await ask([name, vector("envoy_xfcc").value]), whole);
  t.deepEqual(await ask([name, "By=a"], [name, vector("envoy_xfcc").value]), { unreadable: "header_repeated" });
});

test("nginx's $ssl_client_cert cannot arrive: Node answers its folded lines with 400", async (t) => {
  const { send } = await listenFor(t, nginx({ from, header }));
  const folded = vector("nginx_raw_folded").value;
  t.true(folded.includes("\n\t"));
  t.is(await send(`${header}: ${folded}\r\n`), 400);
  t.is(await send(`${header}: ${folded.replaceAll("\n", "\r\n")}\r\n`), 400);
});

test("a header folded over two lines is 400, and gives no certificate", async (t) => {
  const { send } = await listenFor(t, rfc9440({ from }));
  t.is(await send(`X-Other: a\r\n Client-Cert: ${sequence}\r\n`), 400);
  t.is(await send(`Client-Cert: ${sequence.slice(0, 500)}\r\n ${sequence.slice(500)}\r\n`), 400);
});

test("a header of 17 KB is 431, and one of 15 KB is looked at", async (t) => {
  const { ask } = await listenFor(t, rfc9440({ from }));
  t.is(await ask(["Client-Cert", `:${"A".repeat(17_000)}:`]), 431);
  t.deepEqual(await ask(["Client-Cert", `:${"A".repeat(15_000)}:`]), { unreadable: "not_der" });
});

test("HTTP/2: one header is read, two are refused, for each stream of a session", async (t) => {
  const source = rfc9440({ from });
  const server = createHttp2((request, response) => response.end(JSON.stringify(told(source(request)))));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  t.teardown(async () => {
    session.close();
    server.close();
    await once(server, "close");
  });
  const ask = async (headers: Record<string, string | string[]>): Promise<unknown> =>
    JSON.parse(await text(session.request({ ":path": "/", ...headers }))) as unknown;
  t.deepEqual(await ask({ "client-cert": sequence }), whole);
  t.is(await ask({ client_cert: sequence }), null);
  t.deepEqual(await ask({ "client-cert": [sequence, sequence] }), { unreadable: "header_repeated" });
  t.deepEqual(await Promise.all([ask({}), ask({ "client-cert": sequence }), ask({ "client-cert": "A" })]), [
    null,
    whole,
    { unreadable: "not_a_byte_sequence" },
  ]);
});

test("the proxy's flag must occur once, with its value; it is not read without a certificate", async (t) => {
  const { ask } = await listenFor(t, nginx({ from, header, verify: { header: "X-SSL-Verify", value: "SUCCESS" } }));
  t.deepEqual(await ask([header, value], ["x-ssl-verify", "SUCCESS"]), whole);
  t.is(await ask(["X-SSL-Verify", "NONE"]), null);
  for (const flags of [
    [],
    ["FAILED:unable to verify the first certificate"],
    ["NONE"],
    ["success"],
    [""],
    ["SUCCESS", "SUCCESS"],
    ["SUCCESS", "FAILED"],
  ]) {
    const lines = flags.map((flag) => ["X-SSL-Verify", flag] as const);
    t.deepEqual(await ask([header, value], ...lines), { unreadable: "not_verified" });
  }
  t.deepEqual(await ask([header, value], ["X_SSL_Verify", "SUCCESS"]), { unreadable: "not_verified" });
});

test("of several flags each must be there (Cloudflare's two)", async (t) => {
  const verify = [
    { header: "X-Cert-Verified", value: "true" },
    { header: "X-Cert-Revoked", value: "false" },
  ];
  const { ask } = await listenFor(t, rfc9440({ from, verify }));
  const certificate = ["Client-Cert", sequence] as const;
  t.deepEqual(await ask(certificate, ["X-Cert-Verified", "true"], ["X-Cert-Revoked", "false"]), whole);
  for (const [verified, revoked] of [
    ["true", "true"],
    ["false", "false"],
  ] as const) {
    const found = await ask(certificate, ["X-Cert-Verified", verified], ["X-Cert-Revoked", revoked]);
    t.deepEqual(found, { unreadable: "not_verified" });
  }
  t.deepEqual(await ask(certificate, ["X-Cert-Verified", "true"]), { unreadable: "not_verified" });
});

test("a flag is looked at each time, also when the certificate has been read before", async (t) => {
  const { ask } = await listenFor(t, nginx({ from, header, verify: { header: "X-SSL-Verify", value: "SUCCESS" } }));
  t.deepEqual(await ask([header, value], ["X-SSL-Verify", "SUCCESS"]), whole);
  t.deepEqual(await ask([header, value], ["X-SSL-Verify", "NONE"]), { unreadable: "not_verified" });
});

test("a certificate that the proxy has and does not send is not 'no certificate' (GCP above 16 KB)", async (t) => {
  const present = { header: "X-Client-Cert-Present", value: "true" };
  const { ask } = await listenFor(t, rfc9440({ from, present }));
  t.deepEqual(await ask(["Client-Cert", ""], ["X-Client-Cert-Present", "true"]), {
    unreadable: "certificate_withheld",
  });
  t.deepEqual(await ask(["X-Client-Cert-Present", "true"]), { unreadable: "certificate_withheld" });
  t.is(await ask(["X-Client-Cert-Present", "false"]), null);
  t.is(await ask(), null);
  const twice = await ask(["X-Client-Cert-Present", "false"], ["X-Client-Cert-Present", "false"]);
  t.deepEqual(twice, { unreadable: "header_repeated" });
  t.deepEqual(await ask(["Client-Cert", sequence], ["X-Client-Cert-Present", "true"]), whole);
});

test("a certificate without the proxy's presence flag is rejected, also when it was read before", async (t) => {
  const present = { header: "X-Client-Cert-Present", value: "true" };
  const { ask } = await listenFor(t, rfc9440({ from, present }));
  t.deepEqual(await ask(["Client-Cert", sequence], ["x-client-cert-present", "true"]), whole);
  for (const said of [[], ["false"], ["1"], ["TRUE"], [""], ["true", "true"]]) {
    const lines = said.map((value) => ["X-Client-Cert-Present", value] as const);
    t.deepEqual(await ask(["Client-Cert", sequence], ...lines), { unreadable: "certificate_unannounced" });
  }
  t.deepEqual(await ask(["Client-Cert", sequence], ["X_Client_Cert_Present", "true"]), {
    unreadable: "certificate_unannounced",
  });
});

test("a value of more than 131072 characters is not read, however much the server accepts", async (t) => {
  const source = envoy({ from });
  const server = createServer({ maxHeaderSize: 400_000 }, (request, response) => {
    response.end(JSON.stringify(told(source(request))));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(async () => {
    server.close();
    await once(server, "close");
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const ask = async (length: number): Promise<unknown> => {
    const headers = { "X-Forwarded-Client-Cert": `By=${"a".repeat(length - 3)}` };
    const [response] = (await once(get(url, { headers, agent: false }), "response")) as [IncomingMessage];
    return JSON.parse(await text(response)) as unknown;
  };
  t.deepEqual(await ask(131_072), { unreadable: "hash_missing" });
  t.deepEqual(await ask(131_073), { unreadable: "too_large" });
});

test("a repeated value gives the same frozen object: no certificate is parsed twice for one text", async (t) => {
  const found: CertificateOfConnection[] = [];
  const source = rfc9440({ from });
  const { ask } = await listenFor(t, (request) => {
    const one = source(request);
    found.push(one);
    return one;
  });
  await ask(["Client-Cert", sequence]);
  await ask(["client-cert", sequence]);
  await ask(["Client-Cert", "AAAA"]);
  t.is(found[0], found[1]);
  t.true(Object.isFrozen(found[0]));
});

for (const [what, options, named] of [
  ["none", undefined, "options"],
  ["no `from`", { header }, "from"],
  ["a `from` that is a list of addresses", { header, from: ["127.0.0.1"] }, "from"],
  ["a `from` that is made to look like one", { header, from: { sent: () => true } }, "from"],
  ["no header where none is usual", { from }, "header"],
  ["a header with an underscore", { from, header: "X_SSL_Cert" }, "header"],
  ["a header with a blank", { from, header: "X SSL" }, "header"],
  ["a header that is no text", { from, header: 1 }, "header"],
  ["an unknown option", { from, header, trustProxy: true }, "trustProxy"],
  ["another dialect's option", { from, header, encoding: "base64" }, "encoding"],
  ["a flag without a value", { from, header, verify: { header: "X-Verify" } }, "verify"],
  ["a flag with an empty value", { from, header, verify: { header: "X-Verify", value: "" } }, "verify.value"],
  ["a flag with an underscore", { from, header, verify: { header: "X_Verify", value: "a" } }, "verify.header"],
  ["no flag in a list of flags", { from, header, verify: [] }, "verify"],
  ["an invalid flag", { from, header, present: "X-Present" }, "present"],
] as const) {
  test(`a source with ${what} is a TypeError that names ${named}`, (t) => {
    const error = t.throws(() => nginx(options as never), { instanceOf: TypeError, code: "ERR_INVALID_OPTION" });
    t.true(error.message.startsWith(`${named} `), error.message);
  });
}
