import test from "ava";
import { certificateForBackend } from "../../src/authorization-server/certificate-for-backend.ts";
import { tlsSocket } from "../../src/resource-server/index.ts";
import { createSelfSigned } from "../support/certificates.ts";
import { openTlsClient } from "../client-certificate/tls-client.ts";
import { openListener } from "../client-certificate/tls-listener.ts";
import { createSignInWorld } from "./sign-in-world.ts";

const leaf = createSelfSigned({ subject: "CN=leaf" });

for (const options of [{}, { certificate: tlsSocket() }]) {
  const given = "certificate" in options ? "tlsSocket()" : "nothing";
  test(`a connection that has ended is not one without a certificate to the backend (with ${given})`, async (t) => {
    const reasons: string[] = [];
    const seen = Promise.withResolvers<unknown>();
    const read = certificateForBackend({ ...options, onUnreadableCertificate: (reason) => reasons.push(reason) });
    const listener = await openListener({
      protocol: "h1",
      answer: (request) => {
        request.socket.destroy();
        seen.resolve(read(request as never));
      },
    });
    t.teardown(() => listener.close());
    const client = await openTlsClient({ port: listener.port, as: leaf });
    await t.throwsAsync(client.get());
    t.deepEqual(await seen.promise, { clientCertificate: "unreadable", clientCertificatePath: [] });
    t.deepEqual(reasons, ["connection_closed"]);
  });

  test(`the certificate is sent as PEM text if the connection has one, otherwise absent (with ${given})`, async (t) => {
    const read = certificateForBackend(options);
    const listener = await openListener({ protocol: "h1", answer: (request) => read(request as never) });
    t.teardown(() => listener.close());
    for (const [as, wanted] of [
      [undefined, { clientCertificatePath: [] }],
      [leaf, { clientCertificate: leaf.pem, clientCertificatePath: [] }],
    ] as const) {
      const client = await openTlsClient({ port: listener.port, ...(as && { as }) });
      t.deepEqual(await client.get(), wanted);
      await client.close();
    }
  });
}

test("a malformed consent grants nothing, and the operator learns the user table's fault", async (t) => {
  const whole = { scopes: ["openid", "read"], claims: [], resources: [] };
  const redirect = "response_type=code&client_id=4711&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb";
  const wrong = ["openid readonly", { ...whole, scopes: "openid readonly" }, { ...whole, claims: undefined }];
  for (const consent of [...wrong, null, 7, { ...whole, resources: [7] }]) {
    const world = createSignInWorld({ consents: { granted: () => [consent as never], grant: () => undefined } });
    const browser = world.openBrowser();
    const answer = await browser.login(await browser.get(redirect));
    t.is(answer.status, 503, JSON.stringify(consent));
    t.deepEqual(
      world.asked.map(({ operation }) => operation),
      ["authAuthorization"],
    );
    t.is(world.failures.length, 1);
  }
  const world = createSignInWorld({ consents: { granted: () => [whole], grant: () => undefined } });
  const browser = world.openBrowser();
  t.is((await browser.login(await browser.get(redirect))).status, 303);
});
