import test from "ava";
import { envoy, haproxySha256, nginx, rfc9440, trustedProxies } from "../../src/resource-server/index.ts";
import { certificateVectors, vector } from "../client-certificate/certificate-vectors.ts";
import { createAuthority } from "../support/certificates.ts";
import { loopback as from } from "../support/header-listener.ts";
import type { HttpAnswer } from "../support/https-request.ts";
import { factsBoundTo, startProtectedApi } from "../support/protected-api.ts";

const authority = createAuthority({ subject: "CN=Client CA" });
const a = authority.issue({ subject: "CN=client-a" });
const b = authority.issue({ subject: "CN=client-b" });
const item = ({ der }: typeof a): string => `:${der.toString("base64")}:`;
const authorization = "Bearer token-a";

/** Headers as Node's client takes them: several lines for several values. */
function lines(headers: Readonly<Record<string, string | readonly string[]>>): { headers: Record<string, string> } {
  return { headers: { authorization, ...headers } };
}

/** What a client can be told of its certificate, which is nothing. */
function neverEmitted({ headers, body }: HttpAnswer): boolean {
  return !Object.keys(headers).some((name) => /cert/i.test(name)) && !/cert|peer|header|x5t/i.test(body);
}

for (const decide of ["library", "backend"] as const) {
  const how = `(decide: ${decide})`;
  const start = (t: Parameters<typeof startProtectedApi>[0], certificate: ReturnType<typeof rfc9440>) =>
    startProtectedApi(t, { library: { decide, cache: false }, protection: { certificate } });

  test(`a bound token opens the API behind a proxy with its own certificate only ${how}`, async (t) => {
    const api = await start(t, rfc9440({ from }));
    api.backend.tokens.set("token-a", factsBoundTo(a));
    t.is((await api.get("", undefined, lines({ "client-cert": item(a) }))).status, 200);
    const wrong = await api.get("", undefined, lines({ "client-cert": item(b) }));
    t.is(wrong.status, 401);
    t.is((await api.get("", undefined, lines({}))).status, 401);
    // The certificate of this hop is the proxy's, and never the client's.
    t.is((await api.get("", a, lines({}))).status, 401);
    t.is((await api.get("", a, lines({ "client-cert": item(b) }))).status, 401);
    t.deepEqual(
      api.refusals.map(({ code }) => code),
      ["certificate_mismatch", "certificate_missing", "certificate_missing", "certificate_mismatch"],
    );
  });

  test(`9440-2.2-a: two Client-Cert lines, or a list in one, are 400 ${how}`, async (t) => {
    const api = await start(t, rfc9440({ from }));
    api.backend.tokens.set("token-a", factsBoundTo(a));
    const twice = [
      [item(a), item(a)],
      [item(a), item(b)],
      [item(b), item(a)],
      [item(a), ""],
      `${item(a)}, ${item(a)}`,
      `${item(a)},${item(b)}`,
      `${item(a)},`,
    ];
    for (const value of twice) {
      const answer = await api.get("", undefined, lines({ "client-cert": value }));
      t.is(answer.status, 400);
      t.is(answer.headers["www-authenticate"], 'Bearer realm="accounts", error="invalid_request"');
      t.is(answer.headers["cache-control"], "no-store");
      t.deepEqual(JSON.parse(answer.body), { error: "invalid_request" });
    }
    t.deepEqual(new Set(api.refusals.map(({ code }) => code)), new Set(["request_malformed"]));
    t.is(api.refusals[0]?.reason, "the request has more than one certificate header");
    t.is(api.served(), 0);
    t.is(api.backend.requests.length, 0);
  });

  test(`9440-4-b: an unlisted peer's header is ignored: 401, with a reason for the operator ${how}`, async (t) => {
    const api = await start(t, rfc9440({ from: trustedProxies(["127.0.0.2", "unix", { certificate: b.x5tS256 }]) }));
    api.backend.tokens.set("token-a", factsBoundTo(a));
    // By address, and by certificate: nobody's, and another than the listed one.
    for (const peer of [undefined, a]) {
      for (const value of [item(a), item(b), ":AAAA:", "", [item(a), item(a)]]) {
        const answer = await api.get("", peer, lines({ "client-cert": value }));
        t.is(answer.status, 401);
        t.deepEqual(JSON.parse(answer.body), { error: "invalid_token" });
        t.true(neverEmitted(answer));
      }
    }
    t.is(api.refusals.length, 10);
    for (const { code, reason } of api.refusals) {
      t.is(code, "certificate_unreadable");
      t.is(reason, "the certificate of the connection cannot be read: peer not trusted");
    }
    t.is(api.served(), 0);
    t.is((await api.get("", b, lines({ "client-cert": item(a) }))).status, 200);
  });

  test(`9440-2.3-a: a chain is never looked at, alone or beside the certificate ${how}`, async (t) => {
    const api = await start(t, rfc9440({ from }));
    api.backend.tokens.set("token-a", factsBoundTo(a));
    const chain = { "client-cert-chain": `${item(a)}, ${item(authority.certificate)}` };
    t.is((await api.get("", undefined, lines(chain))).status, 401);
    t.is((await api.get("", undefined, lines({ ...chain, "client-cert": "" }))).status, 401);
    t.is((await api.get("", undefined, lines({ ...chain, "client-cert": item(b) }))).status, 401);
    t.deepEqual(
      api.refusals.map(({ code }) => code),
      ["certificate_missing", "certificate_missing", "certificate_mismatch"],
    );
    const garbage = { "client-cert-chain": [":AA", "x"], "client-cert": item(a) };
    t.is((await api.get("", undefined, lines(garbage))).status, 200);
  });

  test(`an unreadable or unverified certificate is 401, with a reason for the operator ${how}`, async (t) => {
    const verify = { header: "X-Verify", value: "SUCCESS" };
    const api = await start(t, nginx({ from, header: "X-SSL-Cert", verify }));
    api.backend.tokens.set("token-a", factsBoundTo(a));
    const cert = encodeURIComponent(a.pem);
    t.is((await api.get("", undefined, lines({ "x-ssl-cert": cert, "x-verify": "SUCCESS" }))).status, 200);
    for (const headers of [
      { "x-ssl-cert": cert, "x-verify": "FAILED:expired" },
      { "x-ssl-cert": a.der.toString("base64"), "x-verify": "SUCCESS" },
      { "x-ssl-cert": encodeURIComponent(a.key), "x-verify": "SUCCESS" },
    ]) {
      const answer = await api.get("", undefined, lines(headers));
      t.is(answer.status, 401);
      t.deepEqual(JSON.parse(answer.body), { error: "invalid_token" });
      t.true(neverEmitted(answer));
    }
    t.deepEqual(
      api.refusals.map(({ reason }) => reason.replace(/^.*: /, "")),
      ["not verified", "not pem", "private key"],
    );
  });

  test(`an unbound token opens no route with an unreadable certificate, even if-bound ${how}`, async (t) => {
    const api = await startProtectedApi(t, {
      library: { decide, cache: false },
      protection: { certificate: rfc9440({ from }), requirement: { binding: "if-bound" } },
    });
    api.backend.tokens.set("token-a", factsBoundTo(undefined));
    t.is((await api.get("", undefined, lines({}))).status, 200);
    t.is((await api.get("", undefined, lines({ "client-cert": item(a) }))).status, 200);
    t.is((await api.get("", undefined, lines({ "client-cert": "AAAA" }))).status, 401);
  });
}

test("9440-2.2-b, 9440-2.4-b: no answer has the header, each is no-store unless the API sets its own", async (t) => {
  const api = await startProtectedApi(t, {
    library: { cache: false },
    protection: { certificate: rfc9440({ from }) },
    after: async (ctx, next) => {
      if (ctx.path === "/public") ctx.set("Cache-Control", "max-age=60");
      await next();
    },
  });
  api.backend.tokens.set("token-a", factsBoundTo(a));
  const answers = [
    await api.get("", undefined, lines({ "client-cert": item(a) })),
    await api.get("", undefined, lines({ "client-cert": item(b) })),
    await api.get("", undefined, lines({ "client-cert": [item(a), item(a)] })),
    await api.get("", undefined, lines({})),
    await api.get("", undefined, { headers: { "client-cert": item(a) } }),
    await api.get("", undefined, { ...lines({ "client-cert": item(a) }), url: `${api.url}/pay` }),
  ];
  t.deepEqual(
    answers.map(({ status }) => status),
    [200, 401, 400, 401, 401, 403],
  );
  for (const answer of answers) {
    t.is(answer.headers["cache-control"], "no-store");
    t.true(neverEmitted(answer));
  }
  const chosen = await api.get("", undefined, { ...lines({ "client-cert": item(a) }), url: `${api.url}/public` });
  t.is(chosen.headers["cache-control"], "max-age=60");
});

test("a thumbprint alone is enough where the library decides", async (t) => {
  const hex = Buffer.from(a.x5tS256, "base64url").toString("hex");
  for (const [certificate, name, value] of [
    [haproxySha256({ from, header: "X-SSL-Client-SHA256" }), "x-ssl-client-sha256", hex],
    [envoy({ from }), "x-forwarded-client-cert", `By=spiffe://a;Hash=${hex};Subject="";URI=spiffe://b`],
  ] as const) {
    const api = await startProtectedApi(t, { protection: { certificate } });
    api.backend.tokens.set("token-a", factsBoundTo(a));
    api.backend.tokens.set("token-b", factsBoundTo(b));
    t.is((await api.get("", undefined, lines({ [name]: value }))).status, 200);
    const headers = { authorization: "Bearer token-b", [name]: value };
    t.is((await api.get("", undefined, { headers })).status, 401);
  }
});

test("a thumbprint alone is not sufficient if the backend decides, and opens nothing", async (t) => {
  const hex = Buffer.from(a.x5tS256, "base64url").toString("hex");
  const certificate = haproxySha256({ from, header: "X-SSL-Client-SHA256" });
  const told: unknown[] = [];
  const api = await startProtectedApi(t, {
    library: { decide: "backend" },
    protection: { certificate },
    before: async (_, next) => {
      await next().catch((error: unknown) => {
        told.push(error);
        throw error;
      });
    },
  });
  api.backend.tokens.set("token-a", factsBoundTo(a));
  t.is((await api.get("", undefined, lines({ "x-ssl-client-sha256": hex }))).status, 500);
  t.is(api.backend.requests.length, 0);
  t.like(told[0], {
    code: "ERR_INVALID_OPTION",
    message: 'certificate.raw is required with decide: "backend"; a source of thumbprints is not enough.',
  });
});

test("9440-4-a: by default no header of any proxy is read, from the loopback neither", async (t) => {
  const api = await startProtectedApi(t, { library: { cache: false } });
  const bound = { x5tS256: certificateVectors.x5tS256 } as typeof a;
  api.backend.tokens.set("token-a", factsBoundTo(bound));
  for (const [name, { header, value }] of Object.entries(certificateVectors.vectors)) {
    if (name === "nginx_raw_folded") continue;
    for (const spelt of [header, header.toLowerCase(), header.replaceAll("-", "_")]) {
      for (const peer of [undefined, b]) {
        t.is((await api.get("", peer, lines({ [spelt]: value }))).status, 401, name);
      }
    }
  }
  t.deepEqual(new Set(api.refusals.map(({ code }) => code)), new Set(["certificate_missing", "certificate_mismatch"]));
  t.is(api.served(), 0);
  // The same vector opens it as soon as somebody has said so.
  const switchedOn = await startProtectedApi(t, { protection: { certificate: rfc9440({ from }) } });
  switchedOn.backend.tokens.set("token-a", factsBoundTo(bound));
  t.is((await switchedOn.get("", undefined, lines({ "Client-Cert": vector("rfc9440").value }))).status, 200);
});
