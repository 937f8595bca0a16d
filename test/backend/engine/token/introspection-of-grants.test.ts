import test from "ava";
import { k1, openGrants, startInstant } from "../../../support/grants.ts";

const issuedAt = startInstant - 250;
const hour = 3_600_000;

test("auth/introspection says what the grant knows: acr, authTime, consentedClaims, grantType, and that it is refreshable", async (t) => {
  const { begin, operations } = await openGrants(t);
  const details = { acr: "urn:acr:2", authTime: 1_700_000_000, consentedClaims: ["email"] };
  const { accessToken } = await begin({ details });
  const ask = (token: string) => operations().authIntrospection({ token, clientCertificate: k1.pem });
  t.like(await ask(accessToken), {
    resultCode: "A056001",
    subject: "user-1",
    grantType: "AUTHORIZATION_CODE",
    refreshable: true,
    ...details,
  });
  const plain = await ask((await begin()).accessToken);
  for (const member of ["acr", "authTime", "consentedClaims"]) t.false(Object.hasOwn(plain, member));
});

test("an access token that has expired: A065301 while its grant can be refreshed, A065302 afterwards", async (t) => {
  const { begin, operations, setClock } = await openGrants(t, { refreshTokenDuration: 7200 });
  const { accessToken } = await begin();
  const ask = () => operations().authIntrospection({ token: accessToken, clientCertificate: k1.pem });
  setClock(issuedAt + hour - 1);
  t.like(await ask(), { resultCode: "A056001", existent: true, usable: true, refreshable: true });
  setClock(issuedAt + hour);
  t.like(await ask(), { resultCode: "A065301", existent: true, usable: false, refreshable: true });
  setClock(issuedAt + 2 * hour - 1);
  t.like(await ask(), { resultCode: "A065301", refreshable: true });
  setClock(issuedAt + 2 * hour);
  t.like(await ask(), { resultCode: "A065302", existent: true, usable: false, refreshable: false });
});

test("an expired access token whose refresh token has a successor is refreshable still", async (t) => {
  const { begin, refresh, operations, setClock } = await openGrants(t, { refreshTokenDuration: 3660 });
  const { accessToken, refreshToken } = await begin();
  setClock(issuedAt + hour);
  await refresh(refreshToken);
  setClock(issuedAt + hour + 60_000);
  const answer = await operations().authIntrospection({ token: accessToken, clientCertificate: k1.pem });
  t.like(answer, { resultCode: "A065301", refreshable: true });
});

test("an expired token without a refresh token: A065303", async (t) => {
  const { ask, operations, setClock } = await openGrants(t);
  const { accessToken } = await ask({ grant_type: "client_credentials" });
  setClock(issuedAt + hour);
  const answer = await operations().authIntrospection({ token: accessToken, clientCertificate: k1.pem });
  t.like(answer, { resultCode: "A065303", refreshable: false });
});

test("a request without a token: nothing is existent, usable, sufficient or refreshable", async (t) => {
  const { operations } = await openGrants(t);
  t.like(await operations().authIntrospection({ token: "" }), {
    resultCode: "A057301",
    existent: false,
    usable: false,
    sufficient: false,
    refreshable: false,
  });
});
