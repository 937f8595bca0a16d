import type { RequestListener } from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { certificateEncodings, dialects } from "../../src/cli/probe/dialects.ts";
import { judgeAnswer } from "../../src/cli/probe/run-probe.ts";
import {
  apiThatReads,
  believedOf,
  believing,
  bySocket,
  env,
  ofBase64,
  ofClientCert,
  probeOf,
  type Reader,
  startProbed,
  stranger,
  token,
  valuesOf,
  victim,
} from "./probed-api.ts";
import { runHere } from "./run-certbound.ts";

test("a response opens, refuses or is unclear", (t) => {
  const scope = 'WWW-Authenticate: Bearer error="insufficient_scope", scope="pay"';
  for (const [status, challenge, judgement] of [
    [200, "", "opened"],
    [304, "", "opened"],
    [403, scope, "opened"],
    [403, "", "refused"],
    [401, scope, "refused"],
    [400, "", "refused"],
    [413, "", "refused"],
    [431, "", "refused"],
    [404, "", "unclear"],
    [421, "", "unclear"],
    [429, "", "unclear"],
    [503, "", "unclear"],
  ] as const) {
    t.is(judgeAnswer({ status, challenge }), judgement, String(status));
    t.is(judgeAnswer({ status, challenge }, true), judgement, String(status));
  }
  // Only what breaks the grammar may be refused by hanging up, and only by that.
  t.is(judgeAnswer({ error: "closed", reached: true }), "unclear");
  t.is(judgeAnswer({ error: "closed", reached: true }, true), "refused");
  t.is(judgeAnswer({ error: "ETIMEDOUT", reached: true }, true), "unclear");
  t.is(judgeAnswer({ error: "ECONNREFUSED", reached: false }, true), "unclear");
});

test("an API that believes no header is reported safe, over real TLS with both handshakes", async (t) => {
  const { url, args, requests } = await startProbed(t, apiThatReads(bySocket));
  const { code, report, stderr } = await probeOf(url, args);
  t.is(code, 0, JSON.stringify(report));
  t.is(stderr, "");
  t.is(report.verdict, "not believed");
  t.true(report.controlled);
  t.deepEqual(report.comparisons, [
    { asked: "without a certificate", answer: "401" },
    { asked: "with another certificate", answer: "401" },
    { asked: "with its own certificate", answer: "200" },
    { asked: "with its own certificate, afterwards", answer: "200" },
  ]);
  t.deepEqual(
    report.dialects.map(({ name }) => name),
    dialects.map(({ name }) => name),
  );
  t.true(report.dialects.every(({ tried, unclear }) => tried > 0 && unclear.length === 0));
  // Node's parser refuses what breaks the grammar before the API sees it.
  t.true(requests().length <= report.requests);
  t.true(report.requests < 1000);
});

test("an API that looks at the header only when there is a certificate, too, is found out", async (t) => {
  const read: Reader = (request) => {
    const own = bySocket(request);
    const [claimed] = valuesOf(request, "client-cert");
    return own === undefined || claimed === undefined ? own : ofClientCert(claimed);
  };
  const { url, args, folder } = await startProbed(t, apiThatReads(read));
  for (const more of [[], ["--stranger", join(folder, "stranger.pem")]]) {
    const { code, report } = await probeOf(url, [...args, ...more]);
    t.is(code, 1);
    t.deepEqual(believedOf(report), ["rfc9440"]);
    const [{ believed } = { believed: [] }] = report.dialects;
    t.true(believed.every((said) => said.includes("; with another certificate)")));
  }
});

test("if TLS accepts known certificates only, --stranger must be one; without it the result is open", async (t) => {
  const known = [victim.pem, stranger.pem];
  const read: Reader = (request) => {
    const [claimed] = valuesOf(request, "client-cert");
    return claimed === undefined ? bySocket(request) : ofClientCert(claimed);
  };
  const { url, args, folder, requests } = await startProbed(t, apiThatReads(read), { known });
  const unknown = await probeOf(url, args);
  t.is(unknown.code, 2);
  t.regex(unknown.report.reason ?? "", /requires a certificate and rejects unknown ones; give another with --stranger/);
  // The owner's own, before and after.
  t.is(requests().length, 2);

  const more = ["--stranger", join(folder, "stranger.pem")];
  const deceived = await probeOf(url, [...args, ...more]);
  t.is(deceived.code, 1);
  t.deepEqual(believedOf(deceived.report), ["rfc9440"]);
  const safe = await startProbed(t, apiThatReads(bySocket), { known });
  const { code, stdout } = await runHere(
    ["probe", safe.url, ...safe.args, "--stranger", join(safe.folder, "stranger.pem")],
    env,
  );
  t.is(code, 0);
  t.regex(stdout, /without a certificate +no answer/);
  t.regex(stdout, /no forged header was tried/);
});

test("an API that disconnects callers without a certificate, and believes a header, is detected", async (t) => {
  const hangingUp =
    (read: Reader, onStrangers: boolean): RequestListener =>
    (request, response) => {
      const found = read(request);
      if (found === undefined || (onStrangers && found !== victim.x5tS256)) request.socket.destroy();
      else apiThatReads(read)(request, response);
    };
  for (const onStrangers of [false, true]) {
    const unsafe = await startProbed(t, hangingUp(believing("client-cert", ofClientCert), onStrangers));
    const deceived = await probeOf(unsafe.url, unsafe.args);
    t.is(deceived.code, 1);
    t.deepEqual(believedOf(deceived.report), ["rfc9440"]);
    t.true(deceived.report.dialects[0]?.believed.some((said) => said.includes("; without a certificate)")));
    const safe = await startProbed(t, hangingUp(bySocket, onStrangers));
    // Who never gets an answer cannot know that it is the token for which there is none.
    const { code, stdout } = await runHere(["probe", safe.url, ...safe.args], env);
    t.is(code, onStrangers ? 2 : 0);
    t.regex(stdout, /ending again counts as refused/);
  }
});

test("a token without scope and a redirect count as believed; the redirect is not followed", async (t) => {
  const read = believing("client-cert", ofClientCert);
  for (const status of [204, 302]) {
    const { url, args, requests } = await startProbed(t, apiThatReads(read, status), { tls: false });
    const { code, report } = await probeOf(url, args);
    t.is(code, 1, String(status));
    t.is(requests().filter(({ url: path }) => path !== "/accounts").length, 0);
    t.deepEqual(believedOf(report), ["rfc9440"]);
  }
  const { url, args } = await startProbed(
    t,
    (request, response) => {
      const known = read(request) === victim.x5tS256;
      response.writeHead(known ? 403 : 401, {
        "www-authenticate": `Bearer error="${known ? "insufficient_scope" : "invalid_token"}"`,
      });
      response.end();
    },
    { tls: false },
  );
  t.is((await probeOf(url, args)).code, 1);
});

test("a header that is no dialect's own is forged when it is named, in every encoding", async (t) => {
  const { url, args } = await startProbed(t, apiThatReads(believing("x-my-cert", ofBase64)), { tls: false });
  t.is((await probeOf(url, args)).code, 0);
  const { code, report } = await probeOf(url, [...args, "--header", "X-Other", "--header", "X-My-Cert"]);
  t.is(code, 1);
  t.deepEqual(believedOf(report), ["X-My-Cert"]);
  const tried = report.dialects.at(-1)?.tried ?? 0;
  t.true(tried >= Object.keys(certificateEncodings).length);
});

test("a proxy's flag beside a header of one's own is forged, too", async (t) => {
  for (const [name, value] of [
    ["x-ssl-verify", "SUCCESS"],
    ["x-ssl-client-verify", "SUCCESS"],
    ["x-client-cert-verified", "true"],
  ] as const) {
    const believed = believing("x-my-cert", ofBase64);
    const read: Reader = (request) => (request.headers[name] === value ? believed(request) : undefined);
    const { url, args } = await startProbed(t, apiThatReads(read), { tls: false });
    t.is((await probeOf(url, [...args, "--header", "X-My-Cert"])).code, 1, name);
  }
});

const inconclusive: readonly [string, Reader, RegExp][] = [
  ["lets the token in without a certificate", () => victim.x5tS256, /accepted without a certificate/],
  ["refuses the token with its own certificate", () => undefined, /does not open the API with its own certificate/],
  [
    "lets the token in with any certificate",
    (request) => (bySocket(request) === undefined ? undefined : victim.x5tS256),
    /accepted with another certificate/,
  ],
];

for (const [what, read, reason] of inconclusive) {
  test(`an API that ${what} gives nothing to compare with: inconclusive`, async (t) => {
    const { url, args } = await startProbed(t, apiThatReads(read));
    const { code, report } = await probeOf(url, args);
    t.is(code, 2);
    t.is(report.verdict, "inconclusive");
    t.regex(report.reason ?? "", reason);
    t.deepEqual(report.dialects, []);
  });
}

test("a token that ends while it is probed proves nothing", async (t) => {
  let asked = 0;
  const { url, args } = await startProbed(
    t,
    apiThatReads((request) => {
      asked += 1;
      return asked < 50 ? bySocket(request) : undefined;
    }),
  );
  const { code, report } = await probeOf(url, args);
  t.is(code, 2);
  t.regex(report.reason ?? "", /does not open the API with its own certificate, afterwards/);
});

test("404, 429 and 500 are reported as unclear, and prove nothing", async (t) => {
  for (const status of [404, 429, 500]) {
    const { url, args } = await startProbed(
      t,
      (request, response) => response.writeHead(request.headers["client-cert"] === undefined ? 401 : status).end(),
      { tls: false },
    );
    const { code, report } = await probeOf(url, args);
    t.is(code, 2);
    t.true(report.dialects[0]?.unclear[0]?.endsWith(`: ${status}`));
    t.deepEqual(believedOf(report), []);
  }
});

test("an API that stops answering ends the probe soon", async (t) => {
  const { url, args, requests } = await startProbed(
    t,
    (request, response) => {
      if (request.headers["client-cert"] === undefined) response.writeHead(401).end();
      else request.socket.destroy();
    },
    { tls: false },
  );
  const silent = await startProbed(
    t,
    (request, response) => {
      if (request.headers["client-cert"] === undefined) response.writeHead(401).end();
    },
    { tls: false },
  );
  t.is((await probeOf(url, args)).code, 2);
  t.true(requests().length > 100);
  const { code, report } = await probeOf(silent.url, [...silent.args, "--timeout", "2000"]);
  t.is(code, 2);
  t.regex(report.reason ?? "", /stopped answering/);
  t.true(silent.requests().length < 10);
});

test("an unreachable host, a server without HTTP and an unknown certificate are inconclusive", async (t) => {
  const { url, args, folder } = await startProbed(t, apiThatReads(bySocket));
  const gone = createServer();
  await new Promise<void>((resolve) => gone.listen(0, "127.0.0.1", resolve));
  const { port } = gone.address() as AddressInfo;
  await new Promise((resolve) => gone.close(resolve));
  const refused = await probeOf(`https://localhost:${port}/`, args);
  t.is(refused.code, 2);
  t.regex(refused.report.reason ?? "", /no answer \(ECONNREFUSED\)/);

  const untrusted = await probeOf(url, args.slice(0, 4));
  t.is(untrusted.code, 2);
  t.regex(untrusted.report.reason ?? "", /UNABLE_TO_VERIFY|SELF_SIGNED/);

  const misnamed = await probeOf(url.replace("localhost", "127.0.0.1"), args);
  t.is(misnamed.code, 2);
  t.regex(misnamed.report.reason ?? "", /ALTNAME/);

  const other = createServer((socket) => socket.on("error", () => undefined).end("220 mail.example.com\r\n\r\n"));
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  t.teardown(() => other.close());
  const mail = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`;
  const { code, report } = await probeOf(mail, ["--certificate", join(folder, "victim.pem"), "--no-control"]);
  t.is(code, 2);
  t.regex(report.reason ?? "", /not HTTP/);
});

test("options that do not do end with 2 and one message that names the option, and nothing is sent", async (t) => {
  const { url, args, folder, requests } = await startProbed(t, apiThatReads(bySocket));
  const file = (name: string): string => join(folder, name);
  const certificate = ["--certificate", file("victim.pem")];
  const plain = url.replace("https", "http");
  const rows: readonly [RegExp, string, readonly string[], Readonly<Record<string, string>>?][] = [
    [/--key is missing/, url, certificate],
    [/--key and --no-control/, url, [...args, "--no-control"]],
    [/--key must be/, url, [...certificate, "--key", file("stranger.key")]],
    [/--key must be/, url, [...certificate, "--key", file("empty.txt")]],
    [/--key names a file/, url, [...certificate, "--key", file("missing")]],
    [/--certificate must have no private key/, url, ["--certificate", file("both.pem"), "--no-control"]],
    [/--certificate must be a file/, url, ["--certificate", file("empty.txt"), "--no-control"]],
    [/--certificate must be a file/, url, ["--certificate", file("token.txt"), "--no-control"]],
    [/a token is missing/, url, args, { PATH: env.PATH }],
    [/a token is missing/, url, [...args, "--token-file", file("empty.txt")]],
    [/the token is malformed/, url, [...args, "--token-file", file("victim.pem")]],
    [/--ca must be/, url, [...args, "--ca", file("token.txt")]],
    [/--stranger must be a file/, url, [...args, "--stranger", file("victim.pem")]],
    [/--stranger must be another/, url, [...args, "--stranger", file("both.pem")]],
    [/--stranger has no use/, plain, [...certificate, "--no-control", "--stranger", file("stranger.pem")]],
    [/--key has no use/, plain, args],
    [/--timeout must be/, url, [...args, "--timeout", "0"]],
    [/--timeout must be/, url, [...args, "--timeout", "soon"]],
    [/--path must start/, url, [...args, "--path", "accounts"]],
    [/--path must start/, url, [...args, "--path", "//elsewhere.example.com/"]],
    [/--path must start/, url, [...args, "--path", "/\\elsewhere.example.com/"]],
    [/--path must start/, url, [...args, "--path", "/\t/elsewhere.example.com/"]],
    [/--path must start/, url, [...args, "--path", "/\\[/"]],
    [/--header must be/, url, [...args, "--header", "a: b"]],
    [/must be an https URL/, "api.example.com", args],
    [/must be an https URL/, "ftp://api.example.com/", args],
    [/the loopback only/, "http://api.example.com/", args],
    [/no user name and no password/, "https://a:b@localhost/", args],
    [/openssl cannot be run/, url, args, { ...env, PATH: folder }],
    [/required option '--certificate <file>'/, url, []],
    [/too many arguments/, url, [...args, "https://other.example.com/"]],
    [/unknown option '--token'/, url, [...args, "--token", "x"]],
  ];
  for (const [message, target, given, environment = env] of rows) {
    const { code, stdout, stderr } = await runHere(["probe", target, ...given], environment);
    t.is(code, 2, message.source);
    t.is(stdout, "");
    t.regex(stderr, message);
    t.notRegex(stderr, /a-token-that|-----BEGIN|MII/);
  }
  t.is(requests().length, 0);
});

test("--path is asked for instead of the URL's own, and the token comes from the file when one is named", async (t) => {
  const { url, args, folder, requests } = await startProbed(t, apiThatReads(bySocket));
  const more = ["--path", "/payments?of=today", "--token-file", join(folder, "token.txt")];
  const { code, report } = await probeOf(url, [...args, ...more], { PATH: env.PATH });
  t.is(code, 0, JSON.stringify(report));
  t.true(report.url.endsWith("/payments?of=today"));
  t.true(requests().every(({ url: path }) => path === "/payments?of=today"));
});

test("the report for people has a line a dialect and the verdict, and neither token nor certificate", async (t) => {
  const safe = await startProbed(t, apiThatReads(bySocket));
  const careful = await runHere(["probe", safe.url, ...safe.args], env);
  t.is(careful.code, 0);
  t.regex(careful.stdout, /^No forged header was believed\. Requests sent: \d+\.$/m);
  for (const { name } of dialects)
    t.regex(careful.stdout, new RegExp(`^ {2}${name} +not believed \\(\\d+ tried\\)$`, "m"));
  t.notRegex(careful.stdout, /was not verified/);

  const read = believing("client-cert", ofClientCert);
  const unsafe = await startProbed(t, apiThatReads(read), { tls: false });
  const deceived = await runHere(["probe", unsafe.url, ...unsafe.args], env);
  t.is(deceived.code, 1);
  t.regex(deceived.stdout, /^ {2}rfc9440 +BELIEVED \(\d+ tried\)$/m);
  t.regex(deceived.stdout, /^ {6}Client-Cert \(byte sequence; as documented; without a certificate\): 200$/m);
  t.regex(deceived.stdout, /^FORGED HEADERS ARE BELIEVED/m);
  t.regex(deceived.stdout, /was not verified/);

  const thumbprints = [victim.x5tS256, Buffer.from(victim.x5tS256, "base64url").toString("hex")];
  for (const { stdout, stderr } of [careful, deceived]) {
    t.is(stderr, "");
    const base64 = victim.der.toString("base64");
    for (const secret of [token, base64.slice(0, 24), base64.slice(100, 124), "-----BEGIN", ...thumbprints]) {
      t.false(stdout.includes(secret));
    }
  }
});

test("probe --help explains the command, what counts as believed, and the exit codes", async (t) => {
  const { code, stdout } = await runHere(["probe", "--help"]);
  t.is(code, 0);
  for (const expected of [
    "--certificate <file>",
    "--no-control",
    "CERTBOUND_PROBE_TOKEN",
    "is believed if",
    "Exit codes:",
  ]) {
    t.true(stdout.includes(expected), expected);
  }
  for (const line of stdout.split("\n")) t.true(line.length <= 120, line);
});

/** Probes whoever answers like this, without a control. */
async function probeOfRaw(t: ExecutionContext, answer: (socket: Socket) => void): ReturnType<typeof runHere> {
  const { folder } = await startProbed(t, apiThatReads(bySocket));
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket
      .on("error", () => undefined)
      .once("data", () => {
        answer(socket);
      });
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const outcome = await runHere(["probe", url, "--certificate", join(folder, "victim.pem"), "--no-control"], env);
  // The probe ends its connections; nobody waits for the rest of an answer.
  while (sockets.size > 0) await new Promise((resolve) => [...sockets][0]?.once("close", resolve));
  return outcome;
}

test("an interim response is skipped, and the report has no text from the API", async (t) => {
  const { code, stdout } = await probeOfRaw(t, (socket) => {
    socket.write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    socket.end('HTTP/1.1 401 \u001b[2Jno\r\nWWW-Authenticate: Bearer error="\u001b]0;owned\u0007"\r\n\r\n\u001b[31m');
  });
  t.is(code, 0);
  t.regex(stdout, /without a certificate +401$/m);
  t.notRegex(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]|owned/);
});

test("an answer without an end is not waited for: neither its head, nor interim ones, nor its body", async (t) => {
  const endless = (start: string, more: string) => (socket: Socket) => {
    const write = (): void => {
      while (!socket.destroyed && socket.write(more));
    };
    socket.write(start);
    socket.on("drain", write);
    write();
  };
  for (const [answer, code] of [
    [endless("HTTP/1.1 401 Unauthorized\r\nX-Long: ", "a".repeat(65_536)), 2],
    [endless("", "HTTP/1.1 100 Continue\r\n\r\n".repeat(100)), 2],
    [endless("HTTP/1.1 401 Unauthorized\r\nContent-Length: 10000000000\r\n\r\n", "a".repeat(65_536)), 0],
  ] as const) {
    const outcome = await probeOfRaw(t, answer);
    t.is(outcome.code, code, outcome.stdout);
    if (code === 2) t.regex(outcome.stdout, /not HTTP/);
  }
});
