import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import test from "ava";
import { ca, clientId, k1, k2, startWorld } from "./outbound-world.ts";

const program = fileURLToPath(new URL("../../examples/bound-client.ts", import.meta.url));

test("the example calls the API, and after SIGHUP with the new certificate", async (t) => {
  const { api, authorizationServer, documents } = await startWorld(t);
  const issuer = authorizationServer.url;
  documents.set("/.well-known/oauth-authorization-server", { issuer, token_endpoint: `${issuer}/token` });
  const folder = await mkdtemp(join(tmpdir(), "certbound-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const files = { CA: join(folder, "ca.pem"), CLIENT_CERT: join(folder, "c.pem"), CLIENT_KEY: join(folder, "k.pem") };
  const write = async (pair: typeof k1) => {
    await writeFile(files.CLIENT_CERT, pair.pem);
    await writeFile(files.CLIENT_KEY, pair.key, { mode: 0o600 });
  };
  await writeFile(files.CA, ca);
  await write(k1);
  const child = spawn(process.execPath, [...process.execArgv, program], {
    env: { PATH: process.env["PATH"] ?? "", ISSUER: issuer, API_URL: api.url, CLIENT_ID: clientId, ...files },
    stdio: ["pipe", "pipe", "inherit"],
  });
  t.teardown(() => child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => JSON.parse(String((await lines.next()).value)) as unknown;
  t.deepEqual(await line(), { presenting: k1.x5tS256 });
  child.stdin.write("/hello\n");
  t.deepEqual(await line(), { answer: { hello: clientId } });
  await write(k2);
  child.kill("SIGHUP");
  t.deepEqual(await line(), { rotated: k2.x5tS256 });
  child.stdin.write("/hello\n");
  t.deepEqual(await line(), { answer: { hello: clientId } });
  child.stdin.end();
  t.deepEqual(await once(child, "close"), [0, null]);
  t.deepEqual(
    api.seen.map(({ x5tS256 }) => x5tS256),
    [k1.x5tS256, k2.x5tS256],
  );
});
