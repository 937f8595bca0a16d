import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { pino } from "pino";
import { openBackend } from "../../src/backend/backend.ts";
import type { ClientSettings } from "../../src/backend/engine/settings/settings.ts";
import { MalformedCertificate } from "../../src/x509/malformed-certificate.ts";
import { readCertificate } from "../../src/x509/read-certificate.ts";
import { createAuthority } from "../support/certificates.ts";
import { clientSettings, configurationOf, secretOf, serviceSettings } from "../support/settings.ts";
import { locateCryptographyVectors } from "./cryptography-vectors.ts";
import { readLimboCases } from "./limbo.ts";
import { listMalformed, unreadableDates } from "./malformed.ts";
import { opensslPath } from "./openssl-path.ts";
import { readPemBlocks } from "./pem-blocks.ts";
import { readPkitsCases, readPkitsExpectations } from "./pkits.ts";
import { errorNumbers } from "./verdicts.ts";

const vectors = locateCryptographyVectors();
const parameters = "grant_type=client_credentials";

/** PEM around these octets, be they a certificate or not. */
const pem = (der: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(der)
    .toString("base64")
    .replaceAll(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`;

async function openApi(
  t: ExecutionContext,
  clock: () => number,
  clients: readonly ClientSettings[],
  anchors: readonly Uint8Array[],
) {
  const settings = serviceSettings({ trustedRootCertificates: anchors.map(pem) });
  const backend = await openBackend({
    configuration: configurationOf([{ settings, clients }]),
    log: pino({ level: "silent" }),
    clock,
    path: opensslPath,
  });
  t.teardown(() => backend.close());
  return backend;
}

/** What a client with this certificate would register: its subject, as OpenSSL spells it. */
function registrationOf(der: Uint8Array): Partial<ClientSettings> {
  const asked = ["x509", "-inform", "der", "-noout", "-subject", "-nameopt", "RFC2253"];
  const subject = execFileSync("openssl", asked, { input: der, encoding: "utf8" })
    .trim()
    .replace(/^subject= ?/, "");
  // One of them has no name but this.
  return subject === ""
    ? { tlsClientAuthSanEmail: "ValidDNnameConstraintsTest14EE@testcertificates.gov" }
    : { tlsClientAuthSubjectDn: subject };
}

test.serial(
  "8705-7.5-b: PKITS through tls_client_auth: of each end entity the verdict that is in the table",
  async (t) => {
    t.timeout(300_000);
    const cases = await readPkitsCases(vectors);
    const expectations = await readPkitsExpectations();
    const clients = cases.map(({ path }, index) =>
      clientSettings({ clientId: index + 1, tokenAuthMethod: "TLS_CLIENT_AUTH", ...registrationOf(path.leaf) }),
    );
    const api = await openApi(t, () => Date.parse("2025-01-01T00:00:00Z"), clients, cases[0]?.path.anchors ?? []);
    const seen = { OK: 0, INVALID_CLIENT: 0 };
    for (const [index, { name, path }] of cases.entries()) {
      const answer = await api.authToken({
        parameters: `${parameters}&client_id=${index + 1}`,
        clientCertificate: pem(path.leaf),
        clientCertificatePath: path.intermediates.map(pem),
      });
      const expected = expectations.get(name)?.openssl ?? "";
      t.is(answer.action, expected === "trusted" ? "OK" : "INVALID_CLIENT", `${name}: ${answer.resultMessage}`);
      t.is(answer.accessToken === undefined, expected !== "trusted", name);
      if (expected.startsWith("error ")) t.deepEqual(errorNumbers(answer.resultMessage), errorNumbers(expected), name);
      if (answer.action === "OK" || answer.action === "INVALID_CLIENT") seen[answer.action]++;
    }
    t.true(seen.OK > 70 && seen.INVALID_CLIENT > 70, JSON.stringify(seen));
  },
);

test.serial(
  "8705-7.5-b: a limbo certificate for servers authenticates no client but its own, and breaks nothing",
  async (t) => {
    t.timeout(300_000);
    const forServers = (await readLimboCases()).filter(({ purpose }) => purpose === "sslserver");
    // An anchor that cannot be read is refused at start.
    const cases = forServers.filter(({ path }) => path.anchors.every((anchor) => isReadable(pem(anchor))));
    t.true(forServers.length - cases.length < 5);
    const clients = cases.map(({ path }, index) =>
      clientSettings({
        clientId: index + 1,
        tokenAuthMethod: "TLS_CLIENT_AUTH",
        tlsClientAuthSanDns: "example.com",
        trustedRootCertificates: path.anchors.map(pem),
      }),
    );
    let now = 0;
    const api = await openApi(t, () => now, clients, []);
    const reasons = new Set<string>();
    const accepted: string[] = [];
    for (const [index, { id, path, at }] of cases.entries()) {
      now = at;
      const answer = await api.authToken({
        parameters: `${parameters}&client_id=${index + 1}`,
        clientCertificate: pem(path.leaf),
        clientCertificatePath: path.intermediates.map(pem),
      });
      if (answer.action === "OK") accepted.push(id);
      else t.is(answer.action, "INVALID_CLIENT", `${id}: ${answer.resultMessage}`);
      t.is(answer.accessToken === undefined, answer.action !== "OK");
      reasons.add(answer.resultCode);
    }
    t.true(reasons.has("A157339"), "their paths are looked at");
    // Clients have another extended key usage, or none.
    t.deepEqual(accepted, [
      "rfc5280::eku::ee-wrong-eku",
      "rfc5280::eku::ee-without-eku",
      "webpki::eku::ee-without-eku",
    ]);
  },
);

function isReadable(certificate: Uint8Array | string): boolean {
  try {
    readCertificate(certificate);
    return true;
  } catch (error) {
    if (error instanceof MalformedCertificate) return false;
    throw error;
  }
}

test.serial("8705-7.5-b: a malformed certificate authenticates nobody, opens nothing and breaks nothing", async (t) => {
  t.timeout(300_000);
  const since = { notBefore: new Date("2019-01-01T00:00:00Z") };
  const root = createAuthority({ subject: "CN=Root", ...since });
  const own = root.issue({ subject: "CN=client-a", ...since });
  const clients = [
    clientSettings({ clientId: 1, tokenAuthMethod: "TLS_CLIENT_AUTH", tlsClientAuthSubjectDn: "CN=client-a" }),
    clientSettings({ clientId: 2 }),
  ];
  const api = await openApi(t, () => Date.parse("2020-01-01T00:00:00Z"), clients, [root.certificate.der]);
  const byPath = { parameters: `${parameters}&client_id=1` };
  const bySecret = { parameters, clientId: "2", clientSecret: secretOf(2) };
  const { accessToken: token } = await api.authToken({ ...bySecret, clientCertificate: own.pem });
  t.is((await api.authIntrospection({ token, clientCertificate: own.pem })).action, "OK");
  for (const name of await listMalformed(vectors)) {
    const content = await readFile(join(vectors, name));
    const blocks = name.endsWith(".der") ? [content] : [...readPemBlocks(content.toString("latin1")), content];
    for (const der of blocks) {
      const clientCertificate = pem(der);
      t.is((await api.authToken({ ...byPath, clientCertificate })).action, "INVALID_CLIENT", name);
      const clientCertificatePath = [clientCertificate];
      const beside = await api.authToken({ ...byPath, clientCertificate: own.pem, clientCertificatePath });
      const isGood = isReadable(clientCertificate) && !unreadableDates.includes(name);
      t.is(beside.action, isGood ? "OK" : "INVALID_CLIENT", `${name}: ${beside.resultMessage}`);
      const bound = await api.authToken({ ...bySecret, clientCertificate });
      t.is(bound.resultCode, isReadable(clientCertificate) ? "A052001" : "A244309", name);
      const asked = await api.authIntrospection({ token, clientCertificate });
      t.is(asked.action, "UNAUTHORIZED", `${name}: ${asked.resultMessage}`);
    }
  }
});
