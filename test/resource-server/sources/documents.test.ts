import { readFile } from "node:fs/promises";
import test, { type ExecutionContext } from "ava";
import { AccessTokenRefused, createResourceServer, readCertificate } from "../../../src/resource-server/index.ts";
import { introspectionEndpoint } from "../../../src/resource-server/sources/introspection-source.ts";
import { createAuthority } from "../../support/certificates.ts";
import { createScriptedBackend } from "../../support/scripted-backend.ts";
import { startScriptedServer } from "../../support/scripted-server.ts";

// What the documents print, with the certificates that they print.

interface KnownAnswer {
  readonly source: string;
  readonly pem: string;
}
const kat = JSON.parse(await readFile(new URL("../../vectors/kat.json", import.meta.url), "utf8")) as {
  "x5t#S256": KnownAnswer[];
};
const certificateOf = (source: RegExp) => {
  const known = kat["x5t#S256"].find((one) => source.test(one.source));
  if (known === undefined) throw new Error("no such certificate");
  return readCertificate(known.pem);
};
const ofAuthlete = certificateOf(/Authlete/);
const ofWso2 = certificateOf(/WSO2/);

const wso2Answer = {
  nbf: 1586929210,
  scope: "openid",
  active: true,
  cnf: { "x5t#SHA256": "mt3KDY1hofQurloTbphKHCSrTlAGl5MlgXX6Xxj9c_E" },
  token_type: "Bearer",
  exp: 1586932810,
  iat: 1586929210,
  client_id: "h9gd1bLEgzUwftAhnrof0fZWcZwa",
  username: "admin@carbon.super",
};

async function startWso2(t: ExecutionContext, path: string) {
  const authority = createAuthority({ subject: "CN=WSO2" });
  const own = authority.issue({ subject: "CN=localhost", san: [{ ip: "127.0.0.1" }] });
  const server = await startScriptedServer({ cert: own.pem, key: own.key });
  t.teardown(() => server.stop());
  server.routes.set(path, ({ form }) => {
    const known = form.get("token") === "9d109c6d-d42e-3b6e-9d93-ae3cb8f65ade";
    // Of the day on which the article's token was in force.
    const headers = { date: "Wed, 15 Apr 2020 05:41:40 GMT" };
    return { headers, json: known ? wso2Answer : { active: false } };
  });
  const open = (clientId: string, dialect?: "wso2") => {
    const resourceServer = createResourceServer({
      source: introspectionEndpoint({
        url: `${server.url}${path}`,
        clientAuthentication: { method: "client_secret_basic", clientId, clientSecret: "admin" },
        tls: { ca: authority.certificate.pem },
        timeout: { attempt: 30_000, total: 30_000 },
        ...(dialect && { dialect }),
      }),
      timeout: 30_000,
      clock: () => 1_586_929_300_000,
    });
    t.teardown(() => resourceServer.close());
    return resourceServer;
  };
  return { server, open };
}

const token = "9d109c6d-d42e-3b6e-9d93-ae3cb8f65ade";
for (const [path, user, header] of [
  ["/oauth2/introspect", "admin", "Basic YWRtaW46YWRtaW4="],
  // Its @ is escaped, as RFC 6749 §2.3.1 has it.
  ["/t/foo.com/oauth2/introspect", "admin@foo.com", `Basic ${Buffer.from("admin%40foo.com:admin").toString("base64")}`],
] as const) {
  test(`the answer that WSO2's article prints opens with its certificate by dialect: "wso2" (${path})`, async (t) => {
    const { server, open } = await startWso2(t, path);
    const requirement = { scopes: ["openid"] };
    const api = open(user, "wso2");
    const accessToken = await api.authorize({ token, certificate: ofWso2, requirement });
    t.like(accessToken, { clientId: "h9gd1bLEgzUwftAhnrof0fZWcZwa", x5tS256: ofWso2.x5tS256 });
    t.is(accessToken.claims["username"], "admin@carbon.super");
    t.is(server.requests[0]?.headers.authorization, header);
    await t.throwsAsync(api.authorize({ token, certificate: ofAuthlete, requirement }), {
      instanceOf: AccessTokenRefused,
    });
    await t.throwsAsync(api.authorize({ token, certificate: undefined, requirement }), {
      instanceOf: AccessTokenRefused,
    });
    await t.throwsAsync(api.authorize({ token: "x", certificate: ofWso2 }), { instanceOf: AccessTokenRefused });

    const strict = await t.throwsAsync(open(user).authorize({ token, certificate: ofWso2, requirement }), {
      instanceOf: AccessTokenRefused,
    });
    t.regex(strict.reason, /dialect: "wso2"/);
  });
}

const authleteFacts = {
  sub: "testuser01",
  scope: null,
  iss: "https://as.example.com",
  active: true,
  cnf: { "x5t#S256": "OID_Sc2yReTDx9QS7f1SMUzNxsh7khJYmaIwqXw8Yuw" },
  token_type: "Bearer",
  exp: 1591936228,
  client_id: "17566160603766",
};
for (const [form, responseContent] of [
  ["text", JSON.stringify(authleteFacts)],
  ["the object that the article prints", authleteFacts],
] as const) {
  test(`the answer that Authlete's article prints opens with its certificate; responseContent as ${form}`, async (t) => {
    const backend = {
      ...createScriptedBackend(),
      authIntrospectionStandard: () =>
        Promise.resolve({
          type: "standardIntrospectionResponse",
          resultCode: "A145001",
          resultMessage: "[A145001] Introspection was performed successfully (type=access_token, active=true).",
          action: "OK",
          responseContent,
        }),
    };
    const api = createResourceServer({ backend, issuer: "https://as.example.com", clock: () => 1_591_936_000_000 });
    t.teardown(() => api.close());
    const accessToken = await api.authorize({ token: "AHu", certificate: ofAuthlete });
    t.like(accessToken, { sub: "testuser01", scopes: [], clientId: "17566160603766", x5tS256: ofAuthlete.x5tS256 });
    await t.throwsAsync(api.authorize({ token: "AHu", certificate: ofWso2 }), { instanceOf: AccessTokenRefused });
    await t.throwsAsync(api.authorize({ token: "AHu", certificate: undefined }), { instanceOf: AccessTokenRefused });
  });
}
