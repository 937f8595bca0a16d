import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { inspect } from "node:util";
import test from "ava";
import { BackendUntrusted } from "../../src/api-client/backend-unavailable.ts";
import { createCaller } from "../../src/api-client/call.ts";
import { authIntrospectionStandard } from "../../src/contract/auth-introspection-standard.ts";
import { IntrospectionUnavailable } from "../../src/resource-server/refusal/introspection-unavailable.ts";
import { openResourceServer } from "../../src/resource-server/resource-server.ts";
import { createAuthority, type TestCertificate } from "../support/certificates.ts";
import { startIntrospectionBackend } from "../support/introspection-backend.ts";

const authority = createAuthority({ subject: "CN=Backend CA" });
const san = [{ ip: "127.0.0.1" }] as const;
const right = authority.issue({ subject: "CN=backend", san });
const wrongHost = authority.issue({ subject: "CN=127.0.0.1", san: [{ dns: "elsewhere.example" }] });
const expired = authority.issue({ subject: "CN=backend", san, notAfter: new Date("2021-01-01T00:00:00Z") });
const unknownCa = createAuthority({ subject: "CN=Backend CA" }).issue({ subject: "CN=backend", san });
const ca = authority.certificate.pem;
const credentials = { apiSecret: "api-secret-7f3a" };
const timeout = { attempt: 60_000, total: 60_000 };

/** A TLS server with this certificate that keeps every byte it could read. */
async function startListener({ pem, key }: TestCertificate) {
  const received: Buffer[] = [];
  const server = createServer({ cert: pem, key }, (socket: TLSSocket) => {
    socket.on("data", (chunk: Buffer) => received.push(chunk));
    socket.on("error", () => undefined);
  });
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const ended = async (): Promise<void> => {
    server.close();
    await once(server, "close");
  };
  return { baseUrl: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, received, ended };
}

test("a backend with a valid certificate gets the request", async (t) => {
  const backend = await startIntrospectionBackend({ tls: { cert: right.pem, key: right.key } });
  const caller = createCaller({ baseUrl: backend.baseUrl, serviceId: 1, credentials, timeout, tls: { ca } });
  t.is((await caller.call(authIntrospectionStandard, { parameters: "token=x" })).action, "OK");
  await caller.close();
  await backend.stop();
});

const untrusted: Record<string, [code: RegExp, certificate: TestCertificate]> = {
  "the wrong host": [/^ERR_TLS_CERT_ALTNAME_INVALID$/, wrongHost],
  "an expired certificate": [/^CERT_HAS_EXPIRED$/, expired],
  "an unknown CA": [
    /^(UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT_LOCALLY|CERT_SIGNATURE_FAILURE)$/,
    unknownCa,
  ],
};
for (const [what, [code, certificate]] of Object.entries(untrusted)) {
  for (const environment of [undefined, "0"]) {
    const how = environment === undefined ? "" : ", even with NODE_TLS_REJECT_UNAUTHORIZED=0";
    test.serial(`7662-4-d: ${what} is a distinct error, and nothing is sent${how}`, async (t) => {
      if (environment !== undefined) process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = environment;
      t.teardown(() => delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"]);
      const { baseUrl, received, ended } = await startListener(certificate);
      const connection = { baseUrl, serviceId: 1, credentials, timeout, tls: { ca } };

      const caller = createCaller(connection);
      const call = caller.call(authIntrospectionStandard, { parameters: "token=access-token-5eed" });
      const error = await t.throwsAsync(call, { instanceOf: BackendUntrusted });
      t.regex(error.code, code);
      await caller.close();

      const clocks = { clock: Date.now, monotonicClock: () => performance.now() };
      const resourceServer = openResourceServer({ backend: connection }, clocks);
      const refused = await t.throwsAsync(
        resourceServer.authorize({ token: "access-token-5eed", certificate: undefined }),
        { instanceOf: IntrospectionUnavailable },
      );
      t.true(refused.cause instanceof BackendUntrusted);
      await resourceServer.close();

      await ended();
      t.is(Buffer.concat(received).toString(), "");
      const seen = inspect([error, refused], { depth: Infinity, showHidden: true });
      t.false(/api-secret|access-token-5eed|BEGIN CERTIFICATE/.test(seen));
    });
  }
}
