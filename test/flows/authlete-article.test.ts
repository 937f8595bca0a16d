import { readFile } from "node:fs/promises";
import test from "ava";
import { startDeployment } from "../support/deployment.ts";
import { basic, send } from "../support/https-request.ts";
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

test("the Authlete article's requests, with a client_credentials token, get the article's answers", async (t) => {
  const client = clientSettings({ clientId, tokenAuthMethod: "CLIENT_SECRET_POST" });
  const { backendUrl } = await startDeployment(t, { clients: [client], service: { accessTokenDuration: 86_400 } });
  // The article's `curl -u ...:... -H 'Content-type: application/json' -d '{…}'`.
  const call = async (path: string, body: object) => {
    const answer = await send({
      url: `${backendUrl}/api${path}`,
      method: "POST",
      headers: { authorization: basic(serviceId, apiSecret), "Content-type": "application/json" },
      body: JSON.stringify(body),
    });
    t.is(answer.status, 200, answer.body);
    return JSON.parse(answer.body) as Record<string, unknown>;
  };

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
