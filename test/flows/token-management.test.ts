import { hash } from "node:crypto";
import test, { type ExecutionContext } from "ava";
import { ApiError } from "../../src/contract/api-error.ts";
import { tokenDigestText } from "../../src/oauth/token-digest.ts";
import { createSelfSigned } from "../support/certificates.ts";
import { startAuthorizationServer, startDeployment } from "../support/deployment.ts";
import { basic, send } from "../support/https-request.ts";
import { apiSecret, clientSettings, serviceAccessToken, serviceId, serviceSettings } from "../support/settings.ts";

const supportedGrantTypes = ["AUTHORIZATION_CODE", "CLIENT_CREDENTIALS", "REFRESH_TOKEN"] as const;
const clients = [clientSettings({ clientId: 1, grantTypes: ["AUTHORIZATION_CODE", "REFRESH_TOKEN"] })];
const other = serviceSettings({
  apiKey: serviceId + 1,
  apiSecret: "other-service-secret-0123456789abcdefghijkl",
  accessTokens: ["other-service-access-token-0123456789abcde"],
  supportedGrantTypes,
});
const certificate = createSelfSigned({ subject: "CN=client" });
const thumbprint = hash("sha256", certificate.der, "base64url");
const wanted = {
  grantType: "AUTHORIZATION_CODE",
  clientId: 1,
  subject: "user-1",
  certificateThumbprint: thumbprint,
};

async function start(t: ExecutionContext) {
  const deployment = await startDeployment(t, {
    service: { supportedGrantTypes, supportedScopes: [{ name: "read" }, { name: "write" }] },
    clients,
    otherServices: [{ settings: other, clients }],
  });
  return { ...deployment, ofOther: (await startAuthorizationServer(t, deployment.backendUrl, other)).api };
}

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Calls an operation with Node's own client, in either shape. */
function callerOf(backendUrl: string, shape: "v2" | "v3") {
  const below = shape === "v3" ? `/api/${serviceId}` : "/api";
  const authorization = shape === "v3" ? `Bearer ${serviceAccessToken}` : basic(serviceId, apiSecret);
  return async (method: string, path: string, form?: string | object): Promise<Answer> => {
    const contentType = typeof form === "string" ? "application/x-www-form-urlencoded" : "application/json";
    const body = typeof form === "string" ? form : JSON.stringify(form);
    const { status, body: text } = await send({
      url: backendUrl + below + path,
      method,
      headers: { authorization, ...(form === undefined ? {} : { "content-type": contentType }) },
      ...(form === undefined ? {} : { body }),
    });
    return { status, body: text === "" ? {} : (JSON.parse(text) as Answer["body"]) };
  };
}

for (const shape of ["v2", "v3"] as const) {
  test(`${shape}: a token is created, listed, changed, and deleted, over HTTP`, async (t) => {
    const { backendUrl } = await start(t);
    const call = callerOf(backendUrl, shape);
    const typed = (type: string) => (shape === "v2" ? type : undefined);
    const created = await call("POST", "/auth/token/create", {
      ...wanted,
      scopes: ["read", "write"],
      properties: null,
    });
    t.like(created, { status: 200, body: { type: typed("tokenCreateResponse"), resultCode: "A109001", action: "OK" } });
    const accessToken = String(created.body["accessToken"]);
    const accessTokenHash = tokenDigestText(accessToken);

    const list = "/auth/token/get/list?clientIdentifier=1&subject=user-1&tokenStatus=VALID&start=0&end=10";
    const listed = await call("GET", list);
    t.like(listed, {
      status: 200,
      body: { type: typed("tokenListResponse"), totalCount: 1, start: 0, end: 10, subject: "user-1" },
    });
    t.like((listed.body["accessTokens"] as object[])[0], { accessTokenHash, scopes: ["read", "write"] });

    const changed = await call("POST", "/auth/token/update", `accessTokenHash=${accessTokenHash}&scopes=read`);
    t.like(changed, {
      status: 200,
      body: { type: typed("tokenUpdateResponse"), resultCode: "A135001", scopes: ["read"] },
    });
    const introspected = await call("POST", "/auth/introspection", {
      token: accessToken,
      clientCertificate: certificate.pem,
    });
    t.like(introspected.body, { action: "OK", scopes: ["read"], certificateThumbprint: thumbprint });

    t.deepEqual(await call("DELETE", `/auth/token/delete/${accessToken}`), { status: 204, body: {} });
    const again = await call("DELETE", `/auth/token/delete/${accessToken}`);
    t.like(again, { status: 404, body: { resultCode: "A161202" } });
    t.is((await call("GET", list)).body["totalCount"], 0);
  });

  test(`${shape}: tokens are revoked over HTTP, by forms too`, async (t) => {
    const { backendUrl, api } = await start(t);
    const call = callerOf(backendUrl, shape);
    const type = shape === "v2" ? "tokenRevokeResponse" : undefined;
    for (const form of ["clientIdentifier=1&subject=user-1", { subject: "user-1", clientIdentifier: null }]) {
      const { accessToken = "" } = await api.authTokenCreate(wanted);
      const revoked = await call("POST", "/auth/token/revoke", form);
      t.like(revoked, { status: 200, body: { type, resultCode: "A312001", count: 2 } });
      t.is((await api.authIntrospection({ token: accessToken })).action, "UNAUTHORIZED");
    }
  });

  test(`${shape}: a wrong call is refused as JSON with its code`, async (t) => {
    const { backendUrl } = await start(t);
    const call = callerOf(backendUrl, shape);
    for (const [method, path, form, status, resultCode] of [
      ["GET", "/auth/token/get/list?start=-1", undefined, 400, "A159202"],
      ["GET", "/auth/token/get/list?end=5000", undefined, 400, "A159205"],
      ["GET", "/auth/token/get/list?clientIdentifier=9", undefined, 404, "A001212"],
      ["POST", "/auth/token/revoke", {}, 400, "A312201"],
      ["POST", "/auth/token/revoke", "subject=", 400, "A312201"],
      ["GET", "/service/configuration?patch=%5B", undefined, 400, "A221201"],
      ["POST", "/service/configuration", { patch: '[{"op":"remove","path":"/x"}]' }, 400, "A221202"],
      ["POST", "/service/configuration", { patch: "x".repeat(65_537) }, 400, "A126202"],
      ["POST", "/auth/token/create", { ...wanted, accessTokenPersistent: true }, 403, "A001223"],
      ["POST", "/auth/token/create", { ...wanted, dpopKeyThumbprint: "x" }, 403, "A001223"],
      ["POST", "/auth/token/create", { ...wanted, authorizationDetails: { elements: [] } }, 403, "A001223"],
      ["POST", "/auth/token/create", { ...wanted, sessionId: "x" }, 403, "A001223"],
      ["POST", "/auth/token/create", { ...wanted, forExternalAttachment: true }, 403, "A001223"],
      ["POST", "/auth/token/update", { tokenId: "x" }, 403, "A001223"],
      ["POST", "/auth/token/update", { accessToken: "x", accessTokenValueUpdated: true }, 403, "A001223"],
      ["POST", "/auth/token/update", { refreshToken: "x" }, 403, "A001223"],
      ["POST", "/auth/token/create", { ...wanted, scopes: "read" }, 400, "A126202"],
      ["POST", "/auth/token/create", { ...wanted, clientId: "1" }, 400, "A126202"],
      ["POST", "/auth/token/create", { ...wanted, accessTokenDuration: -1 }, 400, "A126202"],
      ["POST", "/auth/token/update", { accessToken: "x", accessTokenExpiresAt: 253_402_300_800_000 }, 400, "A126202"],
    ] as const) {
      const answer = await call(method, path, form);
      t.like(answer, { status, body: { resultCode } }, `${method} ${path} ${JSON.stringify(form)}`);
      t.deepEqual(Object.keys(answer.body), ["resultCode", "resultMessage"]);
    }
  });
}

test("a service cannot see or change another's tokens, though a client has the same number", async (t) => {
  const { api, ofOther } = await start(t);
  const { accessToken = "", refreshToken = "" } = await api.authTokenCreate(wanted);
  t.is((await ofOther.authTokenUpdate({ accessToken, accessTokenExpiresAt: 1 })).action, "NOT_FOUND");
  for (const identifier of [accessToken, tokenDigestText(accessToken)]) {
    const deleted = ofOther.authTokenDelete({ accessTokenIdentifier: identifier });
    t.like(await t.throwsAsync(deleted, { instanceOf: ApiError }), { status: 404, resultCode: "A161202" });
  }
  for (const selector of [
    { accessTokenIdentifier: accessToken },
    { refreshTokenIdentifier: refreshToken },
    { clientIdentifier: "1" },
    { subject: "user-1" },
  ]) {
    t.is((await ofOther.authTokenRevoke(selector)).count, 0);
  }
  t.is((await ofOther.authTokenGetList({ subject: "user-1" })).totalCount, 0);
  t.is((await api.authTokenGetList({ subject: "user-1" })).totalCount, 1);
  const active = await api.authIntrospection({ token: accessToken, clientCertificate: certificate.pem });
  t.is(active.action, "OK");
});

test("the backend in the same process refuses a wrong call with the same error", async (t) => {
  const { backend } = await start(t);
  const operations = backend.operationsFor(serviceId);
  const deleting = operations.authTokenDelete({ accessTokenIdentifier: "unknown" });
  t.like(await t.throwsAsync(deleting, { instanceOf: ApiError }), {
    status: 404,
    resultCode: "A161202",
    message: "[A161202] The access token is unknown, expired or revoked.",
  });
  const patching = operations.serviceConfiguration({ patch: "{}" });
  t.like(await t.throwsAsync(patching, { instanceOf: ApiError }), { status: 400, resultCode: "A221201" });
});
