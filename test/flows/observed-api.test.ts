import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import test from "ava";
import { createAuthority } from "../support/certificates.ts";
import { send } from "../support/https-request.ts";
import { startIntrospectionBackend } from "../support/introspection-backend.ts";
import { factsBoundTo } from "../support/protected-api.ts";

const example = new URL("../../examples/observed-api.ts", import.meta.url);

interface Line {
  readonly listening?: string;
  readonly metrics?: string;
  readonly code?: string;
  readonly decision?: { readonly outcome: string; readonly code: string; readonly diagnosis?: object };
}

test("the example's operator sees a stolen token, a lost binding and an outage, and never the token", async (t) => {
  const authority = createAuthority({ subject: "CN=CA" });
  const [own, other] = [authority.issue({ subject: "CN=own" }), authority.issue({ subject: "CN=other" })];
  const server = authority.issue({ subject: "CN=localhost", san: [{ ip: "127.0.0.1" }] });
  const backend = await startIntrospectionBackend();
  t.teardown(() => backend.stop());
  const folder = await mkdtemp(join(tmpdir(), "certbound-"));
  t.teardown(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "server.pem"), server.pem);
  await writeFile(join(folder, "server-key.pem"), server.key, { mode: 0o600 });

  const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(example)], {
    env: {
      PATH: process.env["PATH"] ?? "",
      BACKEND_URL: backend.baseUrl,
      SERVICE_ID: "4711",
      SERVICE_ACCESS_TOKEN: "service-access-token-9c1e",
      TLS_CERT: join(folder, "server.pem"),
      TLS_KEY: join(folder, "server-key.pem"),
      PORT: "0",
      METRICS_PORT: "0",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.teardown(() => child.kill("SIGKILL"));
  const texts: string[] = [];
  const started = Promise.withResolvers<Line>();
  const output = createInterface({ input: child.stdout }).on("line", (text) => {
    texts.push(text);
    started.resolve(JSON.parse(text) as Line);
  });
  const { listening = "", metrics = "" } = await started.promise;

  backend.tokens.set("stolen-t0ken", factsBoundTo(own));
  backend.tokens.set("unbound-t0ken", factsBoundTo(undefined));
  const get = (token: string, as = own) => send({ url: listening, as, headers: { authorization: `Bearer ${token}` } });
  t.is((await get("stolen-t0ken")).status, 200);
  t.is((await get("stolen-t0ken", other)).status, 401);
  t.is((await get("unbound-t0ken")).status, 401);
  backend.respond = () => ({ status: 500, json: {} });
  t.is((await get("other-t0ken")).status, 503);

  const scraped = await send({ url: metrics });
  t.true((scraped.headers["content-type"] ?? "").startsWith("text/plain; version=0.0.4"));
  t.true(scraped.body.includes('certbound_decisions_total{outcome="granted",code="granted",issuer=""} 1'));
  t.true(scraped.body.includes('certbound_binding_lost_total{issuer=""} 1'));
  t.true(scraped.body.includes("\nprocess_cpu_seconds_total "), "beside the process's own metrics");

  const ended = once(output, "close");
  child.kill("SIGTERM");
  await ended;
  // The tests' own backend has no stream of events; when that is noticed is no matter of this test.
  const lines = texts
    .map((text) => JSON.parse(text) as Line)
    .slice(1)
    .filter(({ code }) => code !== "CERTBOUND_NO_PUSH");
  const seen = lines.map(({ decision, code }) => (decision ? `${decision.outcome} ${decision.code}` : code));
  t.deepEqual(seen, [
    "refused certificate_mismatch",
    "CERTBOUND_BINDING_LOST",
    "refused token_unbound",
    "unavailable introspection_unavailable",
  ]);
  t.like(lines[0]?.decision?.diagnosis, { check: "confirmation", expected: own.x5tS256, found: other.x5tS256 });
  t.notRegex(texts.join("\n"), /t0ken|service-access-token|"user"/);
});

test("the code in docs/observing.md is the example's", async (t) => {
  const [, shown = ""] =
    /\/\/ docs\/observing\.md shows this part\.\n([^]*?)\/\/ To here\./.exec(await readFile(example, "utf8")) ?? [];
  t.true(shown.includes("createResourceServer"));
  const docs = await readFile(new URL("../../docs/observing.md", import.meta.url), "utf8");
  t.true(docs.includes(shown.trim()));
});
