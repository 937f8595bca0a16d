import { once } from "node:events";
import { Agent } from "node:https";
import { connect, type TLSSocket } from "node:tls";
import test from "ava";
import { assertErrorForm } from "../support/error-form.ts";
import { basic, send } from "../support/https-request.ts";
import { apiServer, asApiServer, converse, paths, serveEndpoints } from "./served-endpoints.ts";

const formType = "application/x-www-form-urlencoded";
const largest = 65_536;

for (const path of paths) {
  for (const method of ["GET", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH"]) {
    test(`${method} ${path} is 405 with Allow, without a request to the backend`, async (t) => {
      const { url, asked } = await serveEndpoints(t);
      const headers = { "content-type": formType, ...asApiServer };
      const body = ["PUT", "PATCH"].includes(method) ? { body: "token=x" } : {};
      const answer = await send({ url: `${url}${path}?token=x`, method, headers, ...body });
      t.is(answer.headers.allow, "POST");
      if (method === "HEAD") {
        t.is(answer.status, 405);
        t.is(answer.body, "");
      } else assertErrorForm(t, answer, "invalid_request", [405]);
      t.deepEqual(asked, []);
    });
  }

  test(`POST ${path} takes a form, however its content type is spelt`, async (t) => {
    const { post, asked } = await serveEndpoints(t);
    for (const type of [
      formType,
      `${formType}; charset=UTF-8`,
      `${formType};charset=utf-8`,
      `Application/X-WWW-Form-UrlEncoded ;Charset="UTF-8"`,
      // What has octets of ASCII alone is the same in these.
      `${formType}; charset=ISO-8859-1`,
      `${formType}; charset=us-ascii`,
    ]) {
      const answer = await post(path, { headers: { "content-type": type } });
      t.is(answer.status, 200);
    }
    t.is(asked.length, 6);
  });

  test(`POST ${path} rejects an unsupported charset with 415, without a request to the backend`, async (t) => {
    const { post, asked } = await serveEndpoints(t);
    for (const [charset, form] of [
      ["x", "token=x"],
      ["utf-16", "token=x"],
      ["utf-7", "token=x"],
      ["", "token=x"],
      ["utf-8;charset=ebcdic", "token=x"],
      ["iso-8859-1", "token=%E9"],
      ["iso-8859-15", "token=%e9"],
      ["windows-1252", "token=é"],
    ] as const) {
      const headers = { "content-type": `${formType};charset=${charset}` };
      assertErrorForm(t, await post(path, { headers }, form), "invalid_request", [415]);
    }
    t.deepEqual(asked, []);
  });

  test(`POST ${path} rejects every content coding with 415 and names the accepted one`, async (t) => {
    const { post, asked } = await serveEndpoints(t);
    for (const coding of ["gzip", "br", "x-gzip", "identity, gzip", "gzip, identity", "", "identity;q=1"]) {
      const answer = await post(path, { headers: { "content-encoding": coding } }, "token=x");
      assertErrorForm(t, answer, "invalid_request", [415]);
      t.is(answer.headers["accept-encoding"], "identity");
    }
    t.deepEqual(asked, []);
    t.is((await post(path, { headers: { "content-encoding": "Identity" } })).status, 200);
  });

  test(`POST ${path} rejects every other content type with 400, without a request to the backend`, async (t) => {
    const { post, url, asked } = await serveEndpoints(t);
    for (const type of [
      "application/json",
      "text/plain",
      "multipart/form-data; boundary=x",
      `${formType}x`,
      `${formType}, application/json`,
      `application/json; x=${formType}`,
      "",
    ]) {
      const answer = await post(path, { headers: { "content-type": type } }, '{"token":"x"}');
      assertErrorForm(t, answer, "invalid_request", [400]);
    }
    const untyped = await send({ url: url + path, method: "POST", headers: asApiServer, body: "token=x" });
    assertErrorForm(t, untyped, "invalid_request", [400]);
    t.deepEqual(asked, []);
  });

  test(`POST ${path} with two Authorization headers, equal or not, is 400, without a request`, async (t) => {
    const { port, asked } = await serveEndpoints(t);
    const right = basic(apiServer.id, apiServer.secret);
    for (const second of [right, basic(apiServer.id, "wrong"), "Bearer x"]) {
      for (const pair of [
        [right, second],
        [second, right],
      ]) {
        const authorizations = pair.map((value) => `Authorization: ${value}`);
        const head = [...requestHead(path), "Connection: close", "Content-Length: 7", ...authorizations];
        const answer = await converse(port, `${head.join("\r\n")}\r\n\r\ntoken=x`);
        assertErrorForm(t, answer, "invalid_request", [400]);
      }
    }
    t.deepEqual(asked, []);
  });

  if (path === "/introspect") {
    test("a resource server that names another one in its form is 400, without a request to the backend", async (t) => {
      const { post, asked } = await serveEndpoints(t);
      for (const named of ["client_id=other", "client_id=api&client_id=other", "client%5Fid=API"]) {
        assertErrorForm(t, await post(path, {}, `token=x&${named}`), "invalid_request", [400]);
      }
      t.deepEqual(asked, []);
      for (const form of ["token=x&client_id=api", "token=x&client_id=", "token=x"]) {
        t.is((await post(path, {}, form)).status, 200);
      }
    });
  }

  test(`POST ${path} never reads the query`, async (t) => {
    const { url, asked } = await serveEndpoints(t);
    const headers = { "content-type": formType, ...(path === "/introspect" ? asApiServer : {}) };
    const query = "?grant_type=client_credentials&client_id=1&client_secret=s&token=t";
    const answer = await send({ url: url + path + query, method: "POST", headers, body: "" });
    t.is(answer.status, 200);
    const [only] = asked;
    t.is(asked.length, 1);
    const request = only?.request as { parameters: string };
    t.is(request.parameters, "");
    t.notRegex(JSON.stringify(request), /client_credentials|"clientId"|"clientSecret"/);
  });

  test(`POST ${path} hands on a body of 64 KiB as it came, and refuses one octet more with 413`, async (t) => {
    const { post, asked } = await serveEndpoints(t);
    const fits = "a=é%zz&".padEnd(largest - 1, "b");
    t.is(Buffer.byteLength(fits), largest);
    t.is((await post(path, {}, fits)).status, 200);
    t.is((asked[0]?.request as { parameters: string }).parameters, fits);
    const answer = await post(path, {}, `${fits}c`);
    assertErrorForm(t, answer, "invalid_request", [413]);
    t.is(answer.headers.connection, "close");
    t.is(asked.length, 1);
  });
}

test("a body that is too large ends its connection cleanly, and the next request is served on a new one", async (t) => {
  const { post, asked } = await serveEndpoints(t);
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
  t.teardown(() => {
    agent.destroy();
  });
  const tooLarge = "a".repeat(largest + 1);
  t.is((await post("/token", { agent }, tooLarge)).status, 413);
  t.is((await post("/token", { agent })).status, 200);
  t.is((await post("/token", { agent }, tooLarge)).status, 413);
  t.is((await post("/token", { agent })).status, 200);
  t.is(asked.length, 2);
});

test("a body that never ends is answered with 413 as soon as it is too large", async (t) => {
  const { port, asked } = await serveEndpoints(t);
  const chunk = (octets: number): string => `${octets.toString(16)}\r\n${"a".repeat(octets)}\r\n`;
  const chunked = [...requestHead("/token"), "Transfer-Encoding: chunked", "", ""].join("\r\n");
  assertErrorForm(t, await converse(port, chunked, chunk(largest), chunk(1)), "invalid_request", [413]);
  const announced = [...requestHead("/token"), "Content-Length: 1000000", "", ""].join("\r\n");
  assertErrorForm(t, await converse(port, announced, "a".repeat(largest + 1)), "invalid_request", [413]);
  t.deepEqual(asked, []);
});

test("a client that leaves during its body causes no request, and the next client is served", async (t) => {
  const { port, post, server, asked } = await serveEndpoints(t);
  const accepted = once(server, "secureConnection") as Promise<[TLSSocket]>;
  const arrived = once(server, "request");
  const leaving = connect({ host: "127.0.0.1", port, servername: "localhost", rejectUnauthorized: false });
  leaving.write([...requestHead("/token"), "Content-Length: 100", "", "token=x"].join("\r\n"));
  const [socket] = await accepted;
  await arrived;
  const closed = new Promise((resolve) => socket.once("close", resolve));
  leaving.destroy();
  await closed;
  t.is((await post("/token")).status, 200);
  t.is(asked.length, 1);
});

test("a path that is no endpoint, or is one spelt otherwise, is 404 whatever is sent there", async (t) => {
  const { url, asked } = await serveEndpoints(t);
  for (const path of ["/", "/token/", "/Token", "//token", "/token%2f", "/%74oken", "/nothing", "/__proto__"]) {
    for (const method of ["POST", "GET"]) {
      const body = method === "POST" ? { body: "a".repeat(100_000) } : {};
      const answer = await send({ url: url + path, method, headers: { "content-type": formType }, ...body });
      assertErrorForm(t, answer, "invalid_request", [404]);
    }
  }
  t.deepEqual(asked, []);
});

test("an endpoint that throws closes that one connection without a response", async (t) => {
  const { post } = await serveEndpoints(t, () => ({ action: "NO_SUCH_ACTION" }));
  await t.throwsAsync(post("/token"), { code: "ECONNRESET" });
  await t.throwsAsync(post("/token"), { code: "ECONNRESET" });
});

function requestHead(path: string): string[] {
  return [`POST ${path} HTTP/1.1`, "Host: localhost", `Content-Type: ${formType}`];
}
