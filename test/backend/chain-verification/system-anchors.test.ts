import { execFile } from "node:child_process";
import { symlink, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import test from "ava";
import { createChainVerifier } from "../../../src/backend/chain-verification/create-chain-verifier.ts";
import { opensslPath } from "../../certificate-corpora/openssl-path.ts";
import { createAuthority } from "../../support/certificates.ts";
import { createStandIn } from "./stand-in-openssl.ts";

const run = promisify(execFile);

const ours = createAuthority({ subject: "CN=Ours" });
const systems = createAuthority({ subject: "CN=System" });
const leaf = systems.issue({ subject: "CN=client-a" });
const at = Date.parse("2026-06-01T12:00:00Z");

test("an authority that only the system trusts is not an anchor, by file or by directory", async (t) => {
  // Even where the variables are set, and not only kept from OpenSSL.
  await using standIn = await createStandIn('SSL_CERT_FILE="$here/system.pem" SSL_CERT_DIR="$here" exec openssl "$@"');
  await writeFile(standIn.file("system.pem"), systems.certificate.pem);
  await writeFile(standIn.file("leaf.pem"), leaf.pem);
  const { openssl, path } = standIn.options;
  const hash = await run(openssl, ["x509", "-hash", "-noout", "-in", standIn.file("system.pem")]);
  await symlink(standIn.file("system.pem"), standIn.file(`${hash.stdout.trim()}.0`));

  // That the system's anchors are there to be consulted: left to itself, OpenSSL takes either.
  for (const [variable, where] of [
    ["SSL_CERT_FILE", standIn.file("system.pem")],
    ["SSL_CERT_DIR", standIn.file(".")],
  ] as const) {
    const env = { PATH: opensslPath, [variable]: where };
    const left = await run("openssl", ["verify", "-attime", `${at / 1000}`, standIn.file("leaf.pem")], { env });
    t.is(left.stdout, `${standIn.file("leaf.pem")}: OK\n`);
  }

  const verifier = createChainVerifier({ clock: () => at, openssl, path });
  const asked = { leaf: leaf.der, intermediates: [], anchors: [ours.certificate.der] };
  const reason = "error 20 at 0 depth lookup: unable to get local issuer certificate";
  t.deepEqual(await verifier.verify(asked, "1/1"), { trusted: false, reason });
  t.deepEqual(await verifier.verify({ ...asked, anchors: [systems.certificate.der] }, "1/1"), { trusted: true });
});
