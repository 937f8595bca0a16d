import { createHmac, createSecretKey, generateKeyPairSync } from "node:crypto";
import test, { type ExecutionContext } from "ava";
import { CompactSign, SignJWT } from "jose";
import type { ClientSettings, ServiceSettings } from "../../../../src/backend/engine/settings/settings.ts";
import type { Command } from "../../../../src/backend/store/command.ts";
import { StoreFailure } from "../../../../src/backend/store/store.ts";
import type { TokenRequest, TokenResponse } from "../../../../src/contract/auth-token.ts";
import { createEngineByHand, startInstant } from "../../../support/engine.ts";
import { assembleJwt, createSigningKey, type SigningKey } from "../../../support/jwt-issuer.ts";
import { clientSettings, secretOf, serviceSettings } from "../../../support/settings.ts";

const issuer = "https://as.example.com";
const otherIssuer = "https://other-as.example.com";
const otherServiceId = 42;
const tokenEndpoint = "https://as.example.com/token";
const type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const skew = 10;
/** The clock has a quarter of a second on it. */
const now = Math.floor(startInstant / 1000);

const es256 = createSigningKey("ES256", "k1");
const stranger = createSigningKey("ES256", "k1");
const rsa = createSigningKey("RS256", "r1");
const ed = createSigningKey("EdDSA", "e1");
/** Of the client too, but not for signatures. */
const encryption = createSigningKey("ES256", "enc");
const secret = secretOf(1);
const byKey = {
  tokenAuthMethod: "PRIVATE_KEY_JWT",
  jwks: JSON.stringify({ keys: [es256.jwk, rsa.jwk, ed.jwk, { ...encryption.jwk, use: "enc" }] }),
} as const;
const bySecret = { tokenAuthMethod: "CLIENT_SECRET_JWT" } as const;

interface World {
  readonly ask: (assertion: string | undefined, asked?: Asked) => Promise<TokenResponse>;
  /** At the other service, whose client 1 has the same keys. */
  readonly askElsewhere: (assertion: string) => Promise<TokenResponse>;
  readonly revoke: (assertion: string) => Promise<{ readonly resultCode: string }>;
  readonly commands: readonly Command[];
  readonly setClock: (now: number) => void;
}

interface Asked {
  /** Added to the form, or in the place of what it has. */
  readonly form?: Readonly<Record<string, string | undefined>>;
  readonly request?: Partial<TokenRequest>;
}

/** An engine with client 1, whose alias is "one". */
async function open(
  t: ExecutionContext,
  client: Partial<ClientSettings> = byKey,
  service: Partial<ServiceSettings> = {},
  interfere: (command: Command) => "conflict" | undefined = () => undefined,
): Promise<World> {
  const commands: Command[] = [];
  const { operations, setClock } = await createEngineByHand(
    t,
    [
      {
        settings: serviceSettings({
          tokenEndpoint,
          revocationEndpoint: "https://as.example.com/revoke",
          mtlsEndpointAliases: [
            { name: "token_endpoint", uri: "https://mtls.as.example.com/token" },
            { name: "revocation_endpoint", uri: "https://mtls.as.example.com/revoke" },
          ],
          allowableClockSkew: skew,
          ...service,
        }),
        clients: [
          clientSettings({
            clientId: 1,
            clientIdAlias: "one",
            tlsClientCertificateBoundAccessTokens: false,
            ...client,
          }),
          clientSettings({ clientId: 2, tlsClientCertificateBoundAccessTokens: false, ...byKey }),
        ],
      },
      {
        settings: serviceSettings({ apiKey: otherServiceId, issuer: otherIssuer }),
        clients: [clientSettings({ clientId: 1, tlsClientCertificateBoundAccessTokens: false, ...byKey })],
      },
    ],
    {
      around: (store) => ({
        run: (command) => {
          commands.push(command);
          const outcome = interfere(command);
          return outcome === undefined ? store.run(command) : Promise.resolve(outcome);
        },
      }),
    },
  );
  const formOf = (members: Readonly<Record<string, string | undefined>>) =>
    new URLSearchParams(Object.entries(members).filter((entry): entry is [string, string] => entry[1] !== undefined));
  return {
    ask: (assertion, { form = {}, request = {} } = {}) => {
      const members = { client_assertion_type: type, client_assertion: assertion, ...form };
      return operations().authToken({
        parameters: `grant_type=client_credentials&${formOf(members).toString()}`,
        ...request,
      });
    },
    askElsewhere: (assertion) => {
      const members = { client_assertion_type: type, client_assertion: assertion };
      const parameters = `grant_type=client_credentials&${formOf(members).toString()}`;
      return operations(otherServiceId).authToken({ parameters });
    },
    revoke: (assertion) =>
      operations().authRevocation({
        parameters: formOf({ token: "x", client_assertion_type: type, client_assertion: assertion }).toString(),
      }),
    commands,
    setClock,
  };
}

let serial = 0;
function claims(change: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const all: Record<string, unknown> = {
    iss: "1",
    sub: "1",
    aud: issuer,
    exp: now + 60,
    iat: now,
    jti: `j${(serial += 1)}`,
    ...change,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function sign(
  change: Readonly<Record<string, unknown>> = {},
  key: Pick<SigningKey, "alg" | "privateKey"> & { readonly kid: string | undefined } = es256,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const { kid } = key;
  const all = { alg: key.alg, ...(kid === undefined ? {} : { kid }), ...header };
  return new SignJWT(claims(change)).setProtectedHeader(all).sign(key.privateKey);
}

/** A payload as it stands, signed by client 1. */
function signText(payload: string): Promise<string> {
  return new CompactSign(Buffer.from(payload)).setProtectedHeader({ alg: "ES256", kid: "k1" }).sign(es256.privateKey);
}

const withSecret = (alg: "HS256" | "HS384" | "HS512", text = secret) => ({
  alg,
  kid: undefined,
  privateKey: createSecretKey(text, "utf8"),
});

test("an assertion authenticates, identified by itself, by client_id or by the user of Basic credentials", async (t) => {
  const { ask } = await open(t);
  t.like(await ask(await sign()), {
    action: "OK",
    clientId: 1,
    clientIdAliasUsed: false,
    clientAuthMethod: "PRIVATE_KEY_JWT",
  });
  t.like(await ask(await sign(), { form: { client_id: "1" } }), { action: "OK", clientId: 1 });
  t.like(await ask(await sign(), { request: { clientId: "1" } }), { action: "OK", clientId: 1 });
  t.like(await ask(await sign({ iss: "one", sub: "one" })), { action: "OK", clientId: 1, clientIdAliasUsed: true });
  t.like(await ask(await sign({ iss: "one", sub: "one" }), { form: { client_id: "1" } }), { clientIdAliasUsed: false });
});

test("each kind of key and each length of secret signs, by the algorithms that are its own", async (t) => {
  const { ask } = await open(t);
  for (const key of [es256, rsa, ed]) t.is((await ask(await sign({}, key))).action, "OK", key.alg);
  for (const alg of ["RS384", "RS512", "PS256", "PS384", "PS512"]) {
    t.is((await ask(await sign({}, { ...rsa, alg }))).action, "OK", alg);
  }
  const long = "s".repeat(64);
  const secrets = await open(t, { ...bySecret, clientSecret: long });
  for (const alg of ["HS256", "HS384", "HS512"] as const) {
    t.is((await secrets.ask(await sign({}, withSecret(alg, long)))).action, "OK", alg);
  }
});

test("the audience is the issuer, or the endpoint by either of its URLs, alone or among others", async (t) => {
  const { ask, revoke } = await open(t);
  const others = ["https://other.example.com", issuer];
  for (const aud of [issuer, tokenEndpoint, "https://mtls.as.example.com/token", [issuer], others]) {
    t.is((await ask(await sign({ aud }))).action, "OK", JSON.stringify(aud));
  }
  for (const aud of [issuer, tokenEndpoint, "https://as.example.com/revoke", "https://mtls.as.example.com/revoke"]) {
    t.is((await revoke(await sign({ aud }))).resultCode, "A113001", aud);
  }
});

const jti = { jti: "a jti of a refused assertion" };
const hs = (key: string) => {
  const head = Buffer.from(JSON.stringify({ alg: "HS256" })).toString("base64url");
  const body = Buffer.from(JSON.stringify(claims())).toString("base64url");
  return `${head}.${body}.${createHmac("sha256", key).update(`${head}.${body}`).digest("base64url")}`;
};
const rsaPem = rsa.publicKey.export({ type: "spki", format: "pem" }) as string;

const claimed: Readonly<Record<string, readonly [code: string, change: Readonly<Record<string, unknown>>]>> = {
  "no sub": ["A157315", { sub: undefined }],
  "another sub": ["A157316", { sub: "2" }],
  "the alias as sub and the number as iss": ["A157316", { sub: "one" }],
  "a sub that is a number": ["A157316", { sub: 1 }],
  "no aud": ["A157317", { aud: undefined }],
  "another service's issuer": ["A157318", { aud: "https://other.example.com" }],
  "an issuer with a slash more": ["A157318", { aud: `${issuer}/` }],
  "a part of the issuer": ["A157318", { aud: "https://as.example.co" }],
  "an empty list of audiences": ["A157318", { aud: [] }],
  "a list in a list": ["A157318", { aud: [[issuer]] }],
  "a null audience": ["A157318", { aud: null }],
  "the revocation endpoint": ["A157318", { aud: "https://as.example.com/revoke" }],
  "the alias of the revocation endpoint": ["A157318", { aud: "https://mtls.as.example.com/revoke" }],
  "no exp": ["A157319", { exp: undefined }],
  "an exp that is text": ["A157319", { exp: String(now + 60) }],
  "an exp that is null": ["A157319", { exp: null }],
  "an exp that is a list": ["A157319", { exp: [now + 60] }],
  "an exp one second beyond the tolerance": ["A157320", { exp: now - skew - 1 }],
  "an exp of a millisecond beyond the tolerance": ["A157320", { exp: now + 0.249 - skew }],
  "an exp of long ago": ["A157320", { exp: 0 }],
  "a life of a second more than ten minutes and the tolerance": ["A157358", { exp: now + 600 + skew + 1 }],
  "an exp that is milliseconds": ["A157358", { exp: (now + 60) * 1000 }],
  "an nbf one second beyond the tolerance": ["A157321", { nbf: now + skew + 1 }],
  "an nbf that is text": ["A157321", { nbf: "0" }],
  "an iat one second beyond the tolerance": ["A157322", { iat: now + skew + 1 }],
  "an iat that is text": ["A157322", { iat: "0" }],
  "no jti": ["A157323", { jti: undefined }],
  "an empty jti": ["A157323", { jti: "" }],
  "a jti that is a number": ["A157323", { jti: 1 }],
};

const unsigned = (header: Readonly<Record<string, unknown>>) => assembleJwt(header, claims(), "AA");

const refused: Readonly<
  Record<string, readonly [code: string, assertion: () => string | undefined | Promise<string>, asked?: Asked]>
> = {
  ...Object.fromEntries(
    Object.entries(claimed).map(([what, [code, change]]) => [what, [code, () => sign({ ...jti, ...change })] as const]),
  ),
  "no client_assertion_type": ["A157309", () => sign(jti), { form: { client_assertion_type: undefined } }],
  "another client_assertion_type": ["A157310", () => sign(jti), { form: { client_assertion_type: `${type}x` } }],
  "a SAML client_assertion_type": [
    "A157310",
    () => sign(jti),
    { form: { client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:saml2-bearer" } },
  ],
  "no client_assertion": ["A157311", () => undefined, { form: { client_id: "1" } }],
  "neither assertion nor type": [
    "A157309",
    () => undefined,
    { form: { client_id: "1", client_assertion_type: undefined } },
  ],
  text: ["A157312", () => "text", { form: { client_id: "1" } }],
  "an assertion that is padded": ["A157312", async () => `${await sign(jti)}==`, { form: { client_id: "1" } }],
  "an assertion with a newline": ["A157312", async () => `${await sign(jti)}\n`, { form: { client_id: "1" } }],
  "an assertion with a bit set that nothing is spent on": [
    "A157312",
    async () => {
      const text = await sign(jti);
      const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
      return text.slice(0, -1) + (alphabet[alphabet.indexOf(text.at(-1) ?? "") + 1] ?? "");
    },
    { form: { client_id: "1" } },
  ],
  "an assertion in the JSON form": [
    "A157312",
    async () => {
      const [head, payload, signature] = (await sign(jti)).split(".");
      return JSON.stringify({ protected: head, payload, signature });
    },
    { form: { client_id: "1" } },
  ],
  "claims behind a byte order mark": [
    "A157312",
    () => signText(`\u{feff}${JSON.stringify(claims(jti))}`),
    { form: { client_id: "1" } },
  ],
  "claims of which the last iss is another's": [
    "A157314",
    () => signText(JSON.stringify(claims(jti)).replace(/}$/, ',"iss":"2"}')),
    { form: { client_id: "1" } },
  ],
  "an exp beyond all numbers": [
    "A157319",
    () => signText(JSON.stringify(claims({ ...jti, exp: 0 })).replace('"exp":0', '"exp":1e999')),
  ],
  "an nbf before all numbers": [
    "A157321",
    () => signText(JSON.stringify(claims({ ...jti, nbf: 0 })).replace('"nbf":0', '"nbf":-1e999')),
  ],
  "an assertion without signature": [
    "A157312",
    async () => (await sign(jti)).replace(/[^.]+$/, ""),
    { form: { client_id: "1" } },
  ],
  "text that is to identify the client": ["A244303", () => "text"],
  "an assertion that is to identify the client without iss": ["A244304", () => sign({ ...jti, iss: undefined })],
  "an ID token of the service's": ["A244306", () => sign({ ...jti, iss: issuer, sub: "user-1", aud: "1", nonce: "n" })],
  "an access token of the service's": [
    "A244306",
    () => sign({ ...jti, iss: issuer, sub: "1", client_id: "1" }, es256, { typ: "at+jwt" }),
  ],
  "an access token of the service's, beside client_id": [
    "A157314",
    () => sign({ ...jti, iss: issuer, sub: "1", client_id: "1" }, es256, { typ: "at+jwt" }),
    { form: { client_id: "1" } },
  ],
  "an iss that is no text": ["A244304", () => sign({ ...jti, iss: 1 })],
  "an iss that nobody has": ["A244306", () => sign({ ...jti, iss: "3", sub: "3" })],
  "no iss, beside client_id": ["A157313", () => sign({ ...jti, iss: undefined }), { form: { client_id: "1" } }],
  "another client's iss, beside client_id": [
    "A157314",
    () => sign({ ...jti, iss: "2", sub: "2" }),
    { form: { client_id: "1" } },
  ],
  "another client's iss, beside the user of Basic credentials": [
    "A157314",
    () => sign({ ...jti, iss: "2", sub: "2" }),
    { request: { clientId: "1" } },
  ],
  "an iss that is the number with a zero before it": [
    "A157314",
    () => sign({ ...jti, iss: "01", sub: "01" }),
    { form: { client_id: "1" } },
  ],
  "a secret beside it in Basic credentials": [
    "A157357",
    () => sign(jti),
    { request: { clientId: "1", clientSecret: "guess" } },
  ],
  "a secret beside it in the form": ["A157357", () => sign(jti), { form: { client_secret: "guess" } }],
  "critical header parameters": ["A157312", () => unsigned({ alg: "ES256", kid: "k1", crit: ["exp"], exp: now + 60 })],
  "a payload that is not encoded": ["A157312", () => unsigned({ alg: "ES256", kid: "k1", b64: false })],
  "no alg": ["A157306", () => unsigned({ kid: "k1" })],
  "an alg that is no text": ["A157306", () => unsigned({ alg: 1 })],
  "alg none": ["A157308", () => unsigned({ alg: "none" })],
  "alg None": ["A157308", () => unsigned({ alg: "None" })],
  "HS256 with a public key as PEM": ["A157308", () => hs(rsaPem)],
  "HS256 with a public key as JWK": ["A157308", () => hs(JSON.stringify(rsa.jwk))],
  "an algorithm that nobody has": ["A157308", () => unsigned({ alg: "ES256K", kid: "k1" })],
  "another key of the same kid": ["A157326", () => sign(jti, stranger)],
  "a key of a kid that is not registered": ["A157326", () => sign(jti, stranger, { kid: "k9" })],
  "a kid that looks like a path": ["A157326", () => sign(jti, es256, { kid: "../../../../dev/null" })],
  "a kid that is long": ["A157326", () => sign(jti, es256, { kid: "k".repeat(40_000) })],
  "a key that is for encryption": ["A157326", () => sign(jti, encryption)],
  "its own key in the header": ["A157326", () => sign(jti, stranger, { jwk: stranger.jwk })],
  "its own key in the header, and no kid": [
    "A157326",
    () => sign(jti, { ...stranger, kid: undefined }, { jwk: stranger.jwk }),
  ],
  "a URL of its own keys": ["A157326", () => sign(jti, stranger, { jku: "https://evil.example/jwks" })],
  "a certificate of its own": ["A157326", () => sign(jti, stranger, { x5c: ["AA"], x5u: "https://evil.example/" })],
  "a signature of zeros": ["A157326", () => assembleJwt({ alg: "ES256", kid: "k1" }, claims(), Buffer.alloc(64))],
  "a signature in DER": [
    "A157326",
    () => assembleJwt({ alg: "ES256", kid: "k1" }, claims(), Buffer.from("3006020101020101", "hex")),
  ],
  "a changed claim": [
    "A157326",
    async () => {
      const [head = "", , signature = ""] = (await sign(jti)).split(".");
      return [head, Buffer.from(JSON.stringify(claims())).toString("base64url"), signature].join(".");
    },
  ],
  "a flipped bit": [
    "A157326",
    async () => {
      const [head = "", body = "", signature = ""] = (await sign(jti)).split(".");
      const octets = Buffer.from(signature, "base64url");
      octets[10] = (octets[10] ?? 0) ^ 1;
      return [head, body, octets.toString("base64url")].join(".");
    },
  ],
};

for (const [what, [code, assertion, asked]] of Object.entries(refused)) {
  test(`${what}: ${code}, invalid_client, nothing issued or used`, async (t) => {
    const { ask, commands } = await open(t);
    const given = await assertion();
    const answer = await ask(given, asked);
    t.is(answer.resultCode, code);
    t.is(answer.action, "INVALID_CLIENT");
    t.deepEqual(JSON.parse(answer.responseContent ?? ""), {
      error: "invalid_client",
      error_description: "The client could not be authenticated.",
    });
    t.deepEqual(commands, []);
    t.false(given !== undefined && given.length > 4 && JSON.stringify(answer).includes(given));
    t.notRegex(JSON.stringify(answer), /a jti of|evil|guess/);
  });
}

test("a parameter that is given twice has a code of its own", async (t) => {
  const { ask } = await open(t);
  const assertion = await sign();
  for (const [code, more] of [
    ["A244302", `client_assertion=${assertion}`],
    ["A158302", `client_assertion_type=${encodeURIComponent(type)}`],
  ] as const) {
    const parameters = `grant_type=client_credentials&${more}&${more}`;
    t.like(await ask(undefined, { request: { parameters } }), { resultCode: code, action: "BAD_REQUEST" });
  }
});

test("a clock that is off by the tolerance, to the second, is right enough: earlier and later", async (t) => {
  const { ask, setClock } = await open(t);
  setClock(now * 1000);
  for (const change of [
    { exp: now - skew, iat: now - 60 },
    { exp: now + 600 + skew },
    { nbf: now + skew, iat: now + skew },
    { iat: undefined, nbf: undefined },
    { iat: 0 },
    { exp: now + 0.5 },
  ]) {
    t.is((await ask(await sign(change))).action, "OK", JSON.stringify(change));
  }
  const strict = await open(t, byKey, { allowableClockSkew: 0 });
  strict.setClock(now * 1000);
  t.is((await strict.ask(await sign({ exp: now }))).action, "OK");
  t.is((await strict.ask(await sign({ exp: now - 1 }))).resultCode, "A157320");
  t.is((await strict.ask(await sign({ iat: now + 1 }))).resultCode, "A157322");
});

test("a secret signs by its own algorithms only, if it is long enough for them", async (t) => {
  const { ask } = await open(t, { ...bySecret, clientSecret: "s".repeat(48) });
  const fits = (alg: "HS256" | "HS384" | "HS512") => sign({}, withSecret(alg, "s".repeat(48)));
  t.is((await ask(await fits("HS256"))).action, "OK");
  t.is((await ask(await fits("HS384"))).action, "OK");
  t.is((await ask(await fits("HS512"))).resultCode, "A157307");
  t.is((await ask(await sign())).resultCode, "A157307");
  t.is((await ask(unsigned({ alg: "none" }))).resultCode, "A157307");
  t.is((await ask(await sign({}, withSecret("HS256", "another secret of more than 32 octets")))).resultCode, "A157326");
});

test("a client that is registered with one algorithm has no other", async (t) => {
  const { ask } = await open(t, { ...byKey, tokenAuthSignAlg: "PS256" });
  t.is((await ask(await sign({}, { ...rsa, alg: "PS256" }))).action, "OK");
  for (const key of [rsa, es256, ed]) t.is((await ask(await sign({}, key))).resultCode, "A157308", key.alg);
});

for (const registered of [undefined, "EdDSA", "Ed25519"] as const) {
  for (const ofKey of [undefined, "EdDSA", "Ed25519"]) {
    const client = `registered with ${registered ?? "no algorithm"} and a key for ${ofKey ?? "anything"}`;
    test(`Ed25519 signs under both of its names for a client ${client}`, async (t) => {
      const { ask } = await open(t, {
        ...byKey,
        jwks: JSON.stringify({ keys: [{ ...ed.jwk, alg: ofKey }] }),
        ...(registered === undefined ? {} : { tokenAuthSignAlg: registered }),
      });
      for (const alg of ["EdDSA", "Ed25519"]) t.is((await ask(await sign({}, { ...ed, alg }))).action, "OK", alg);
    });
  }
}

test("a key whose key_ops only sign checks no assertion, as `serve --check` reports", async (t) => {
  const { ask } = await open(t, { ...byKey, jwks: JSON.stringify({ keys: [{ ...es256.jwk, key_ops: ["sign"] }] }) });
  t.is((await ask(await sign())).resultCode, "A157326");
  const both = { ...es256.jwk, key_ops: ["sign", "verify"] };
  t.is((await (await open(t, { ...byKey, jwks: JSON.stringify({ keys: [both] }) })).ask(await sign())).action, "OK");
});

test("an assertion of a client with another method, or without one, is rejected, whatever it proves", async (t) => {
  for (const tokenAuthMethod of [
    "CLIENT_SECRET_BASIC",
    "CLIENT_SECRET_POST",
    "SELF_SIGNED_TLS_CLIENT_AUTH",
    "NONE",
  ] as const) {
    const { ask, commands } = await open(t, { ...byKey, tokenAuthMethod, clientSecret: secret });
    t.is((await ask(await sign())).resultCode, "A157357", tokenAuthMethod);
    t.is((await ask(await sign(), { request: { clientId: "1", clientSecret: secret } })).resultCode, "A157357");
    t.deepEqual(commands, []);
  }
});

test("a method that the service does not support is rejected", async (t) => {
  const { ask } = await open(t, byKey, { supportedTokenAuthMethods: ["CLIENT_SECRET_BASIC"] });
  t.like(await ask(await sign()), { resultCode: "A157344", action: "INVALID_CLIENT" });
});

test("a client without a usable key is rejected: it is not a server fault", async (t) => {
  const without = await open(t, { tokenAuthMethod: "PRIVATE_KEY_JWT" });
  t.is((await without.ask(await sign())).resultCode, "A157325");
  const short = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const kinds: readonly unknown[] = [
    { ...short.publicKey.export({ format: "jwk" }), kid: "r1" },
    { ...rsa.jwk, n: "AAAA" },
  ];
  for (const jwk of kinds) {
    const { ask } = await open(t, { ...byKey, jwks: JSON.stringify({ keys: [jwk] }) });
    t.is((await ask(await sign({}, rsa))).resultCode, "A157325");
  }
  const exponentOne = { ...rsa.jwk, e: "AQ" };
  const worthless = await open(t, {
    ...byKey,
    jwks: JSON.stringify({ keys: [exponentOne, { kty: "oct", k: "AAAA" }] }),
  });
  t.is((await worthless.ask(await sign({}, rsa))).resultCode, "A157326");
});

test("keys that cannot be used do not stand in the way of one of the same kid that can", async (t) => {
  const short = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey.export({ format: "jwk" });
  const keys = [{ ...short, kid: "r1" }, { ...rsa.jwk, n: "AAAA" }, createSigningKey("RS256", "r1").jwk, rsa.jwk];
  const { ask } = await open(t, { ...byKey, jwks: JSON.stringify({ keys }) });
  t.is((await ask(await sign({}, rsa))).action, "OK");
  t.is((await ask(await sign({}, createSigningKey("RS256", "r1")))).resultCode, "A157325");
});

test("a key set nested too deeply to copy counts as no keys: it is not a server fault", async (t) => {
  const jwks = JSON.stringify({ keys: [{ ...rsa.jwk, deep: 0 }] }).replace(
    '"deep":0',
    `"deep":${"[".repeat(20_000)}${"]".repeat(20_000)}`,
  );
  const { ask } = await open(t, { ...byKey, jwks });
  t.is((await ask(await sign({}, rsa))).resultCode, "A157325");
});

test("members of the header that do not concern the signature change nothing", async (t) => {
  const { ask } = await open(t);
  for (const header of [{ typ: "JWT" }, { cty: "x" }, { zip: "DEF" }, { enc: "A256GCM" }, { b64: true }, { x: null }]) {
    t.is((await ask(await sign({}, es256, header))).action, "OK", JSON.stringify(header));
  }
});

test("a jti may be long, and may be a name that every object has; each is valid once", async (t) => {
  const { ask } = await open(t);
  for (const one of ["j".repeat(40_000), "__proto__", "constructor", "\ud800", " ", "\0"]) {
    t.is((await ask(await sign({ jti: one }))).action, "OK");
    t.is((await ask(await sign({ jti: one }))).resultCode, "A157324");
  }
});

test("an assertion is valid for one request: a second one, at any endpoint, is A157324", async (t) => {
  const { ask, revoke, commands, setClock } = await open(t);
  const assertion = await sign({ ...jti });
  t.is((await ask(assertion)).action, "OK");
  t.is((await ask(assertion)).resultCode, "A157324");
  t.is((await revoke(assertion)).resultCode, "A157324");
  t.is((await ask(await sign({ ...jti, exp: now + 100 }))).resultCode, "A157324", "another assertion of the same jti");
  t.is((await ask(await sign({ ...jti, iss: "2", sub: "2" }))).action, "OK", "another client's jti");
  const [use] = commands;
  t.like(use, { name: "use-assertion", clientId: 1, expiresAt: (now + 60 + skew) * 1000 + 1 });
  t.notRegex(JSON.stringify(commands), /a jti of/);
  setClock((now + 60 + skew) * 1000);
  t.is((await ask(assertion)).resultCode, "A157324", "until the last millisecond");
  setClock((now + 60 + skew) * 1000 + 1);
  t.is((await ask(assertion)).resultCode, "A157320");
});

test("a failed write of an assertion's use is repeated as the same use by the same request", async (t) => {
  const { ask, commands } = await open(t, byKey, {}, ({ name }) => {
    if (name === "use-assertion" && failures-- > 0) throw new StoreFailure("the answer was lost");
    return undefined;
  });
  let failures = 1;
  const assertion = await sign();
  t.is((await ask(assertion)).action, "OK");
  const uses = commands.filter(({ name }) => name === "use-assertion");
  t.is(uses.length, 2);
  t.deepEqual(uses[1], uses[0]);
  t.is((await ask(assertion)).resultCode, "A157324");
});

test("an assertion whose use cannot be stored authenticates nobody, and is valid afterwards", async (t) => {
  let failures = 2;
  const { ask } = await open(t, byKey, {}, ({ name }) => {
    if (name === "use-assertion" && failures-- > 0) throw new StoreFailure("the disk is full");
    return undefined;
  });
  const assertion = await sign();
  await t.throwsAsync(ask(assertion), { instanceOf: StoreFailure });
  t.is((await ask(assertion)).action, "OK");
  t.is((await ask(assertion)).resultCode, "A157324");
});

test("a disabled alias is no name of its client, which still has its number", async (t) => {
  const { ask } = await open(t, { ...byKey, clientIdAliasEnabled: false });
  const asked = { form: { client_id: "1" } };
  t.is((await ask(await sign({ iss: "one", sub: "one" }), asked)).resultCode, "A157314");
  t.is((await ask(await sign({ iss: "one", sub: "one" }))).resultCode, "A244307");
  t.is((await ask(await sign(), asked)).action, "OK");
});

test("a jti that was used at one service is another service's own", async (t) => {
  const { ask, askElsewhere } = await open(t);
  const jtiOfBoth = { jti: "one jti" };
  const elsewhere = await sign({ ...jtiOfBoth, aud: otherIssuer });
  t.is((await ask(await sign(jtiOfBoth))).action, "OK");
  t.is((await askElsewhere(elsewhere)).action, "OK");
  t.is((await askElsewhere(elsewhere)).resultCode, "A157324");
});

test("of 50 requests with one assertion at once, one is answered", async (t) => {
  const { ask } = await open(t);
  const assertion = await sign();
  const answers = await Promise.all(Array.from({ length: 50 }, () => ask(assertion)));
  t.is(answers.filter(({ action }) => action === "OK").length, 1);
  t.is(answers.filter(({ resultCode }) => resultCode === "A157324").length, 49);
});

test("a decision that is taken again is no replay of itself", async (t) => {
  let conflicts = 2;
  const { ask, commands } = await open(t, byKey, {}, (command) =>
    command.name === "issue-tokens" && conflicts-- > 0 ? "conflict" : undefined,
  );
  const assertion = await sign();
  t.is((await ask(assertion)).action, "OK");
  const uses = commands.filter((command) => command.name === "use-assertion");
  t.is(uses.length, 3);
  t.is(new Set(uses.map(({ attempt }) => Buffer.from(attempt).toString("hex"))).size, 1);
  t.is((await ask(assertion)).resultCode, "A157324");
});

test("an assertion that another check refuses can be sent again; one that a grant refuses cannot", async (t) => {
  const { ask } = await open(t);
  const assertion = await sign();
  t.is((await ask(assertion, { form: { client_secret: "guess" } })).resultCode, "A157357");
  t.is((await ask(assertion, { form: { resource: "relative" } })).resultCode, "A251307");
  t.is((await ask(assertion)).resultCode, "A157324");
});
