import { writeFile } from "node:fs/promises";
import test from "ava";
import { ConfigurationError } from "../../src/backend/configuration/configuration-error.ts";
import { readConfiguration } from "../../src/backend/configuration/read-configuration.ts";
import { readConfigurationAside, createReloads } from "../../src/cli/serve.ts";
import { configuration, env, writeConfiguration } from "./a-folder.ts";

/** Reloads that last until the test lets each go. */
function heldReloads() {
  const letGo: (() => void)[] = [];
  let most = 0;
  let running = 0;
  const reload = async (): Promise<void> => {
    most = Math.max(most, ++running);
    await new Promise<void>((resolve) => letGo.push(resolve));
    running -= 1;
  };
  return { reload, letGo, most: () => most };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("requests before the beginning cause one reload at the beginning", async (t) => {
  const { reload, letGo } = heldReloads();
  const reloads = createReloads();
  reloads.ask();
  reloads.ask();
  await turn();
  t.is(letGo.length, 0);
  reloads.begin(reload);
  t.is(letGo.length, 1);
  letGo[0]?.();
  await turn();
  t.is(letGo.length, 1);
});

test("one reload at a time; requests meanwhile cause one more reload, which begins afterwards", async (t) => {
  const { reload, letGo, most } = heldReloads();
  const reloads = createReloads();
  reloads.begin(reload);
  for (let index = 0; index < 100; index++) reloads.ask();
  await turn();
  t.is(letGo.length, 1);
  letGo[0]?.();
  await turn();
  t.is(letGo.length, 2, "the file may have changed after the first one had read it");
  letGo[1]?.();
  await turn();
  t.is(letGo.length, 2);
  t.is(most(), 1);
  reloads.ask();
  t.is(letGo.length, 3, "it goes on");
});

test("the end waits for the running reload, and no other begins after it", async (t) => {
  const { reload, letGo } = heldReloads();
  const reloads = createReloads();
  reloads.begin(reload);
  reloads.ask();
  reloads.ask();
  let ended = false;
  const end = reloads.end().then(() => (ended = true));
  await turn();
  t.false(ended);
  letGo[0]?.();
  await end;
  reloads.ask();
  await turn();
  t.is(letGo.length, 1);
  const unused = createReloads();
  await unused.end();
  unused.ask();
  unused.begin(reload);
  t.is(letGo.length, 1);
});

const tls = "port: 0, tls: { certificate: { file: server.pem }, key: { file: server.key } } }";

test("a configuration that is read on a thread of its own is the same, octets and warnings included", async (t) => {
  const text = configuration.replace("port: 0 }", tls).replace("clientId: 1", "clientId: 1\n        clientIdAlias: a");
  const path = await writeConfiguration(t, text);
  const expected = await readConfiguration({ path, env });
  t.is(expected.warnings.length, 1);
  const read = await readConfigurationAside({ path, env: { ...env, UNSET: undefined } });
  // From the thread the key comes as plain octets, here it is a Buffer.
  t.deepEqual({ ...read, secretKey: undefined }, { ...expected, secretKey: undefined });
  t.is(Buffer.compare(read.secretKey ?? Buffer.of(), expected.secretKey ?? Buffer.of(1)), 0);
});

test("errors have the same words, and the next reading starts anew", async (t) => {
  const path = await writeConfiguration(t);
  for (const slip of [
    "a: [",
    configuration.replace("CN=client-a", "client-a"),
    configuration.replace("apiKey", "apiKy"),
  ]) {
    await writeFile(path, slip);
    const here = await t.throwsAsync(readConfiguration({ path, env }), { instanceOf: ConfigurationError });
    const aside = await t.throwsAsync(readConfigurationAside({ path, env }), { instanceOf: ConfigurationError });
    t.is(aside.message, here.message);
    t.deepEqual(aside.problems, here.problems);
  }
  await t.throwsAsync(readConfigurationAside({ path: `${path}.none`, env }), {
    message: /cannot be read: there is no such file \(ENOENT\)$/,
  });
  await writeFile(path, configuration);
  t.is((await readConfigurationAside({ path, env })).services.length, 1);
});
