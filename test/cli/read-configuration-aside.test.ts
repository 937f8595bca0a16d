import { writeFile } from "node:fs/promises";
import test from "ava";
import { ConfigurationError } from "../../src/backend/configuration/configuration-error.ts";
import { readConfiguration } from "../../src/backend/configuration/read-configuration.ts";
import { readConfigurationAside } from "../../src/cli/read-configuration-aside.ts";
import { configuration, env, writeConfiguration } from "./a-folder.ts";

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

test("what is wrong with it is said in the same words, and the next reading is a new one", async (t) => {
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
