import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import test, { type ExecutionContext } from "ava";
import { startDeployment } from "../support/deployment.ts";
import { basic, send } from "../support/https-request.ts";
import { createServiceKey, serviceJwks, verifyJwt } from "../support/signing-keys.ts";
import { apiSecret, clientSettings, secretOf, serviceId } from "../support/settings.ts";

interface KnownAnswers {
  readonly "x5t#S256": readonly { readonly source: string; readonly "x5t#S256": string; readonly pem: string }[];
}

const vectors = new URL("../vectors/kat.json", import.meta.url);
const known = JSON.parse(await readFile(vectors, "utf8")) as KnownAnswers;
const article = known["x5t#S256"].find(({ source }) => source.startsWith("Authlete article"));
if (article === undefined) throw new Error("The article's certificate is missing from the vectors.");
const pem = article.pem;
const thumbprint = "OID_Sc2yReTDx9QS7f1SMUzNxsh7khJYmaIwqXw8Yuw";
const clientId = 17_566_160_603_766;

/** The article's `curl -u ...:... -H 'Content-type: application/json' -d '{…}'`. */
function caller(t: ExecutionContext, backendUrl: string) {
  return async (path: string, body: object): Promise<Record<string, unknown>> => {
    const answer = await send({
      url: `${backendUrl}/api${path}`,
      method: "POST",
      headers: { authorization: basic(serviceId, apiSecret), "Content-type": "application/json" },
      body: JSON.stringify(body),
    });
    t.is(answer.status, 200, answer.body);
    return JSON.parse(answer.body) as Record<string, unknown>;
  };
}

test("the Authlete article's requests, with a client_credentials token, get the article's answers", async (t) => {
  const client = clientSettings({ clientId, tokenAuthMethod: "CLIENT_SECRET_POST" });
  const { backendUrl } = await startDeployment(t, { clients: [client], service: { accessTokenDuration: 86_400 } });
  const call = caller(t, backendUrl);

  const issued = await call("/auth/token", {
    clientCertificate: pem,
    parameters: `redirect_uri=https://client.example.org/cb/example.com&client_id=${clientId}&client_secret=${secretOf(clientId)}&grant_type=client_credentials`,
  });
  t.like(issued, {
    type: "tokenResponse",
    resultCode: "A052001",
    resultMessage: "[A052001] The token request (grant_type=client_credentials) was processed successfully.",
    accessTokenDuration: 86_400,
    action: "OK",
    clientId,
    clientIdAliasUsed: false,
    grantType: "CLIENT_CREDENTIALS",
  });
  const accessToken = String(issued["accessToken"]);
  const content = JSON.parse(String(issued["responseContent"])) as Record<string, unknown>;
  t.deepEqual(content, { access_token: accessToken, token_type: "Bearer", expires_in: 86_400 });

  const decided = await call("/auth/introspection", { token: accessToken, clientCertificate: pem.trimEnd() });
  t.like(decided, {
    type: "introspectionResponse",
    resultCode: "A056001",
    resultMessage: "[A056001] The access token is valid.",
    action: "OK",
    certificateThumbprint: thumbprint,
    clientId,
    clientIdAliasUsed: false,
    existent: true,
    refreshable: false,
    responseContent: 'Bearer error="invalid_request"',
    sufficient: true,
    usable: true,
  });
  t.is(Number(decided["expiresAt"]) % 1000, 0);

  // The article's parameters end with a line feed.
  const standard = await call("/auth/introspection/standard", { parameters: `token=${accessToken}\n` });
  t.like(standard, {
    type: "standardIntrospectionResponse",
    resultCode: "A145001",
    resultMessage: "[A145001] Introspection was performed successfully (type=access_token, active=true).",
    action: "OK",
  });
  const facts = JSON.parse(String(standard["responseContent"])) as Record<string, unknown>;
  t.like(facts, {
    iss: "https://as.example.com",
    active: true,
    cnf: { "x5t#S256": thumbprint },
    token_type: "Bearer",
    exp: Number(decided["expiresAt"]) / 1000,
    client_id: String(clientId),
  });
  t.false("scope" in facts);
});

test("the article's bound token is refused without its certificate and with another", async (t) => {
  const client = clientSettings({ clientId, tokenAuthMethod: "CLIENT_SECRET_POST" });
  const { api } = await startDeployment(t, { clients: [client] });
  const { accessToken } = await api.authToken({
    clientCertificate: pem,
    parameters: `client_id=${clientId}&client_secret=${secretOf(clientId)}&grant_type=client_credentials`,
  });
  const other = known["x5t#S256"].find(({ pem: candidate }) => candidate !== pem)?.pem;
  const decide = async (clientCertificate?: string) =>
    (await api.authIntrospection({ token: accessToken, clientCertificate })).resultCode;
  t.is(await decide(pem), "A056001");
  t.is(await decide(), "A065304");
  t.is(await decide(other), "A065305");
  t.is(await decide("-----BEGIN CERTIFICATE-----"), "A065307");
});

const redirectUri = "https://client.example.org/cb/example.com";
const certificate = new X509Certificate(pem);
/** The article's requests carry nothing for the client to prove itself with but the certificate, which is self-signed. */
const client = clientSettings({
  clientId,
  tokenAuthMethod: "SELF_SIGNED_TLS_CLIENT_AUTH",
  jwks: JSON.stringify({
    keys: [{ ...certificate.publicKey.export({ format: "jwk" }), x5c: [certificate.raw.toString("base64")] }],
  }),
  grantTypes: ["AUTHORIZATION_CODE", "REFRESH_TOKEN"],
  redirectUris: [redirectUri],
});
const service = {
  supportedGrantTypes: ["AUTHORIZATION_CODE", "REFRESH_TOKEN"],
  accessTokenDuration: 86_400,
  refreshTokenDuration: 864_000,
} as const;
/** When the article's tokens were issued: milliseconds since 1970. */
const issuedAt = 1_591_849_016_474;

/** What comes before the article begins: the user said yes. */
async function codeOf(call: ReturnType<typeof caller>): Promise<string> {
  const asked = await call("/auth/authorization", {
    parameters: `response_type=code&client_id=${clientId}&redirect_uri=${encodeURIComponent(redirectUri)}`,
  });
  const issued = await call("/auth/authorization/issue", { ticket: asked["ticket"], subject: "testuser01" });
  return new URL(String(issued["responseContent"])).searchParams.get("code") ?? "";
}

/** The article's token request. */
const tokenRequest = (code: string) => ({
  clientCertificate: pem,
  parameters: `redirect_uri=${redirectUri}&client_id=${clientId}&grant_type=authorization_code&code=${code}`,
});

test("the Authlete article's code flow, request by request: the article's answers, member by member", async (t) => {
  const { backendUrl } = await startDeployment(t, { clients: [client], service, clock: () => issuedAt });
  const call = caller(t, backendUrl);

  const issued = await call("/auth/token", tokenRequest(await codeOf(call)));
  const { accessToken, refreshToken, responseContent, ...members } = issued;
  // The article's, and one that its version of the API had not.
  t.deepEqual(members, {
    type: "tokenResponse",
    resultCode: "A050001",
    resultMessage: "[A050001] The token request (grant_type=authorization_code) was processed successfully.",
    accessTokenDuration: 86_400,
    // To the second: no answer promises more than `exp` will say.
    accessTokenExpiresAt: 1_591_935_416_000,
    action: "OK",
    clientId: 17_566_160_603_766,
    clientIdAliasUsed: false,
    clientAuthMethod: "SELF_SIGNED_TLS_CLIENT_AUTH",
    grantType: "AUTHORIZATION_CODE",
    refreshTokenDuration: 864_000,
    refreshTokenExpiresAt: 1_592_713_016_000,
    subject: "testuser01",
  });
  t.regex(String(refreshToken), /^[A-Za-z0-9_-]{43}$/);
  // The article has "scope": null; a member without value is left out (RFC 6749 §5.1: a string).
  t.deepEqual(JSON.parse(String(responseContent)), {
    access_token: accessToken,
    refresh_token: refreshToken,
    token_type: "Bearer",
    expires_in: 86_400,
  });

  const { resultMessage, ...decided } = await call("/auth/introspection", {
    token: accessToken,
    clientCertificate: pem.trimEnd(),
  });
  t.is(resultMessage, "[A056001] The access token is valid.");
  t.like(decided, {
    type: "introspectionResponse",
    resultCode: "A056001",
    action: "OK",
    certificateThumbprint: thumbprint,
    clientId,
    clientIdAliasUsed: false,
    existent: true,
    expiresAt: 1_591_935_416_000,
    refreshable: true,
    responseContent: 'Bearer error="invalid_request"',
    subject: "testuser01",
    sufficient: true,
    usable: true,
  });

  const standard = await call("/auth/introspection/standard", { parameters: `token=${String(accessToken)}\n` });
  t.like(standard, {
    type: "standardIntrospectionResponse",
    resultCode: "A145001",
    resultMessage: "[A145001] Introspection was performed successfully (type=access_token, active=true).",
    action: "OK",
  });
  const facts = JSON.parse(String(standard["responseContent"])) as Record<string, unknown>;
  t.like(facts, {
    sub: "testuser01",
    iss: "https://as.example.com",
    active: true,
    cnf: { "x5t#S256": thumbprint },
    token_type: "Bearer",
    exp: 1_591_935_416,
    client_id: "17566160603766",
  });
  t.false("scope" in facts);
});

test("the Authlete article's token as a JWT: the article's payload, and RFC 9068's further members", async (t) => {
  const key = createServiceKey("P256", "1");
  const { backendUrl } = await startDeployment(t, {
    clients: [client],
    service: { ...service, jwks: serviceJwks([key]), accessTokenSignAlg: "ES256" },
    clock: () => issuedAt,
  });
  const call = caller(t, backendUrl);
  const { accessToken, jwtAccessToken, responseContent } = await call("/auth/token", tokenRequest(await codeOf(call)));
  const given = JSON.parse(String(responseContent)) as Record<string, unknown>;
  t.is(given["access_token"], jwtAccessToken);
  const { header, payload, text } = await verifyJwt(String(jwtAccessToken), key);
  t.deepEqual(header, { kid: "1", alg: "ES256", typ: "at+jwt" });
  t.deepEqual(payload, {
    sub: "testuser01",
    iss: "https://as.example.com",
    cnf: { "x5t#S256": "OID_Sc2yReTDx9QS7f1SMUzNxsh7khJYmaIwqXw8Yuw" },
    exp: 1_591_935_416,
    iat: 1_591_849_016,
    client_id: "17566160603766",
    jti: accessToken,
    aud: "https://as.example.com",
  });
  t.notRegex(text, /null/);

  // Either form of it is introspected, and the refresh token gives another.
  for (const token of [accessToken, jwtAccessToken]) {
    const { resultCode, refreshable } = await call("/auth/introspection", { token, clientCertificate: pem.trimEnd() });
    t.deepEqual([resultCode, refreshable], ["A056001", true]);
  }
  const refreshed = await call("/auth/token", {
    clientCertificate: pem,
    parameters: `client_id=${clientId}&grant_type=refresh_token&refresh_token=${String(given["refresh_token"])}`,
  });
  t.like(refreshed, { resultCode: "A053001", action: "OK", grantType: "REFRESH_TOKEN", subject: "testuser01" });
  const { payload: next } = await verifyJwt(String(refreshed["jwtAccessToken"]), key);
  t.like(next, { sub: "testuser01", cnf: { "x5t#S256": thumbprint }, jti: refreshed["accessToken"] });
});
