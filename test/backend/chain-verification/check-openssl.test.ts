import test from "ava";
import { checkOpenssl } from "../../../src/backend/chain-verification/check-openssl.ts";
import { opensslPath } from "../../certificate-corpora/openssl-path.ts";
import { createStandIn } from "./stand-in-openssl.ts";

const needed = "Client certificate chains are validated by OpenSSL 3 or later";

test.serial("OpenSSL 3 is found on the PATH handed in", async (t) => {
  t.is(await checkOpenssl({ path: opensslPath }), undefined);
});

test.serial("an OpenSSL that is not there is told in one line", async (t) => {
  const missing = `${needed}, and "openssl" could not be used: openssl could not be run.`;
  t.is(await checkOpenssl({ path: "/no/such/directory" }), missing);
});

for (const [title, script, end] of [
  ["another program", "echo LibreSSL 3.3.6", "is another program."],
  ["a program that fails", "echo OpenSSL 3.0.19 27 Jan 2026; exit 1", "is another program."],
  ["OpenSSL 1.1", "echo 'OpenSSL 1.1.1w  11 Sep 2023'", "is 1.1.1."],
  ["a program that does not end", "exec sleep 60", "could not be used: openssl did not finish within 500 ms."],
] as const) {
  test.serial(`${title} in its place is told in one line`, async (t) => {
    await using standIn = await createStandIn(script);
    const { openssl, path } = standIn.options;
    const timeout = script.includes("sleep") ? 500 : 60_000;
    t.is(await checkOpenssl({ openssl, path, timeout }), `${needed}, and "${openssl}" ${end}`);
  });
}

for (const version of [
  "OpenSSL 3.0.19 27 Jan 2026 (Library: …)",
  "OpenSSL 3.5.1 1 Jul 2025",
  "OpenSSL 4.0.0-beta1 1 Jan 2027",
]) {
  test.serial(`${version} will do`, async (t) => {
    await using standIn = await createStandIn(`echo '${version}'`);
    const { openssl, path } = standIn.options;
    t.is(await checkOpenssl({ openssl, path }), undefined);
  });
}
