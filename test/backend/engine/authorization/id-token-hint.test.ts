import { generateKeyPairSync, type KeyObject } from "node:crypto";
import test, { type ExecutionContext } from "ava";
import { SignJWT, UnsecuredJWT, type JWTPayload } from "jose";
import type { AuthorizationResponse } from "../../../../src/contract/auth-authorization.ts";
import { authorizationParameters, codeClient, codeService } from "../../../support/authorization.ts";
import { createEngineByHand } from "../../../support/engine.ts";

const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
const others = generateKeyPairSync("ec", { namedCurve: "P-256" });
const jwks = JSON.stringify({
  keys: [{ ...keys.privateKey.export({ format: "jwk" }), kid: "k1", alg: "ES256", use: "sig" }],
});

const claims = { iss: "https://as.example.com", sub: "john", aud: "1", iat: 1_700_000_000, exp: 1_700_003_600 };

function sign(payload: JWTPayload = claims, header: object = {}, key: KeyObject = keys.privateKey): Promise<string> {
  return new SignJWT(payload).setProtectedHeader({ alg: "ES256", kid: "k1", ...header }).sign(key);
}

async function ask(
  t: ExecutionContext,
  hint: string,
  { more = {}, ofService = jwks }: { more?: Record<string, string>; ofService?: string | null } = {},
): Promise<AuthorizationResponse> {
  const settings = codeService(ofService === null ? {} : { jwks: ofService });
  const client = codeClient({ clientIdAlias: "app" });
  const { operations } = await createEngineByHand(t, [{ settings, clients: [client] }]);
  const parameters = authorizationParameters({ scope: "openid", id_token_hint: hint, ...more });
  return operations().authAuthorization({ parameters });
}

for (const [what, payload, header] of [
  ["long expired", claims, {}],
  ["with a type", claims, { typ: "JWT" }],
  ["for the client's alias", { ...claims, aud: "app" }, {}],
  ["for several", { ...claims, aud: ["2", "1"] }, {}],
] as const) {
  test(`an ID token of ours is a hint: ${what}`, async (t) => {
    const answer = await ask(t, await sign({ ...payload, aud: payload.aud as string | string[] }, header));
    t.is(answer.resultCode, "A004001", answer.resultMessage);
    t.is(answer.subject, "john");
  });
}

/** The claims without one of them. */
const without = (name: keyof typeof claims): JWTPayload =>
  Object.fromEntries(Object.entries(claims).filter(([claim]) => claim !== name));

const flipped = async (): Promise<string> => {
  const token = await sign();
  const at = token.indexOf(".") + 5;
  return token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
};

for (const [what, make] of [
  ["without signature", () => new UnsecuredJWT(claims).encode()],
  [
    "with alg none and a signature",
    async () => (await sign()).replace(/^[^.]+/, btoa('{"alg":"none"}').replaceAll("=", "")),
  ],
  ["of other keys", () => sign(claims, {}, others.privateKey)],
  [
    "of other keys that the header brings along",
    () => sign(claims, { jwk: others.publicKey.export({ format: "jwk" }), kid: undefined }, others.privateKey),
  ],
  [
    "signed with the public key as a secret",
    () =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: "HS256", kid: "k1" })
        .sign(Buffer.from(keys.publicKey.export({ format: "pem", type: "spki" }))),
  ],
  ["changed", flipped],
  ["with padding", async () => `${await sign()}=`],
  ["with a line break", async () => `${await sign()}\n`],
  ["that is a JWT access token", () => sign(claims, { typ: "at+jwt" })],
  ["that is a signed introspection reply", () => sign(claims, { typ: "token-introspection+jwt" })],
  ["whose type is no text", () => sign(claims, { typ: 1 })],
  ["of another issuer", () => sign({ ...claims, iss: "https://other.example.com" })],
  ["without issuer", () => sign(without("iss"))],
  ["for another client", () => sign({ ...claims, aud: "2" })],
  ["for a list that is not of texts", () => sign({ ...claims, aud: [1, "1"] } as unknown as JWTPayload)],
  ["for nobody", () => sign(without("aud"))],
  ["without subject", () => sign(without("sub"))],
  ["with an empty subject", () => sign({ ...claims, sub: "" })],
] as const) {
  test(`no hint: an ID token ${what}: A019303`, async (t) => {
    const answer = await ask(t, await make());
    t.is(answer.resultCode, "A019303");
    t.is(answer.action, "LOCATION");
    t.is(answer.ticket, undefined);
  });
}

test("a service without keys has given no ID token: A019303", async (t) => {
  for (const ofService of [null, '{"keys":[]}']) {
    t.is((await ask(t, await sign(), { ofService })).resultCode, "A019303");
  }
});

test("a hint and claims that name two users: A022304", async (t) => {
  const wish = (value: string) => ({ more: { claims: JSON.stringify({ id_token: { sub: { value } } }) } });
  t.is((await ask(t, await sign(), wish("jane"))).resultCode, "A022304");
  t.is((await ask(t, await sign(), wish("john"))).subject, "john");
});
