import test from "ava";
import { requiresBinding } from "../../src/oauth/certificate-binding.ts";
import { readSourceTree } from "../support/source-tree.ts";

// The article's table: the service's switch, the client's switch, and whether the token is bound.
for (const [service, client, bound] of [
  [true, true, true],
  [true, false, false],
  [false, true, false],
  [false, false, false],
] as const) {
  test(`service ${service}, client ${client}: access tokens are ${bound ? "bound" : "not bound"}`, (t) => {
    const [ofService, ofClient] = [service, client].map((on) => ({ tlsClientCertificateBoundAccessTokens: on }));
    t.is(ofService !== undefined && ofClient !== undefined && requiresBinding(ofService, ofClient), bound);
  });
}

test("no other file of src decides whether a token has to be bound", async (t) => {
  const files = await readSourceTree(new URL("../../src/", import.meta.url));
  const twice = /tlsClientCertificateBoundAccessTokens\s*&&[^;{]*tlsClientCertificateBoundAccessTokens/;
  const deciding = files.filter(({ text }) => twice.test(text)).map(({ path }) => path);
  t.deepEqual(deciding, ["oauth/certificate-binding.ts"]);
});
