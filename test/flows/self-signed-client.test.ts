import test from "ava";
import { createAuthority, createKeyPair, createSelfSigned } from "../support/certificates.ts";
import { accessTokenOf, startDeployment } from "../support/deployment.ts";
import { assertErrorForm } from "../support/error-form.ts";
import { clientSettings, jwksOf } from "../support/settings.ts";

const selfSigned = (clientId: number, jwks: string) =>
  clientSettings({ clientId, tokenAuthMethod: "SELF_SIGNED_TLS_CLIENT_AUTH", jwks });

test("8705-2.2-a: a registered certificate authenticates, self-signed, expired or from an unknown CA; no other does", async (t) => {
  const plain = createSelfSigned({ subject: "CN=plain" });
  const expired = createSelfSigned({ subject: "CN=expired", notAfter: new Date("2021-01-01T00:00:00Z") });
  const fromUnknownAuthority = createAuthority({ subject: "CN=Unknown CA" }).issue({ subject: "CN=issued" });
  const unregistered = createSelfSigned({ subject: "CN=plain" });
  const { token } = await startDeployment(t, {
    clients: [selfSigned(1, jwksOf(plain, expired, fromUnknownAuthority))],
  });
  for (const registered of [plain, expired, fromUnknownAuthority]) {
    accessTokenOf(t, await token({ client_id: "1" }, registered));
  }
  assertErrorForm(t, await token({ client_id: "1" }, unregistered), "invalid_client", [400, 401]);
});

test("8705-2.2-b: another certificate over the registered key is refused", async (t) => {
  const key = createKeyPair();
  const registered = createSelfSigned({ subject: "CN=client", key });
  const reissued = createSelfSigned({ subject: "CN=client", key });
  const { token } = await startDeployment(t, { clients: [selfSigned(1, jwksOf(registered))] });
  accessTokenOf(t, await token({ client_id: "1" }, registered));
  assertErrorForm(t, await token({ client_id: "1" }, reissued), "invalid_client", [400, 401]);
});

test("8705-2.2.2-a: a key without x5c registers no certificate, and of x5c only the first element counts", async (t) => {
  const wanted = createSelfSigned({ subject: "CN=wanted" });
  const rsa = createSelfSigned({ subject: "CN=rsa", key: "RSA-2048" });
  const other = createSelfSigned({ subject: "CN=other" });
  const withoutX5c = [wanted, rsa].map((certificate) => ({
    ...certificate.keyPair.publicKey.export({ format: "jwk" }),
    "x5t#S256": certificate.x5tS256,
  }));
  const [keyOfOther] = (JSON.parse(jwksOf(other)) as { keys: { x5c: string[] }[] }).keys;
  const withSecond = { ...keyOfOther, x5c: [...(keyOfOther?.x5c ?? []), wanted.der.toString("base64")] };
  const { token } = await startDeployment(t, {
    clients: [selfSigned(1, JSON.stringify({ keys: [...withoutX5c, withSecond] }))],
  });
  accessTokenOf(t, await token({ client_id: "1" }, other));
  for (const certificate of [wanted, rsa]) {
    assertErrorForm(t, await token({ client_id: "1" }, certificate), "invalid_client", [400, 401]);
  }
});

test("selfSignedCertificateKeyId picks the one key whose certificate counts", async (t) => {
  const first = createSelfSigned({ subject: "CN=first" });
  const second = createSelfSigned({ subject: "CN=second" });
  const { keys } = JSON.parse(jwksOf(first, second)) as { keys: object[] };
  const jwks = JSON.stringify({ keys: keys.map((key, index) => ({ ...key, kid: `key-${index}` })) });
  const client = { ...selfSigned(1, jwks), selfSignedCertificateKeyId: "key-1" };
  const { token } = await startDeployment(t, { clients: [client] });
  accessTokenOf(t, await token({ client_id: "1" }, second));
  assertErrorForm(t, await token({ client_id: "1" }, first), "invalid_client", [400, 401]);
});
