import test from "ava";
import { readCompactJwt } from "../../src/oauth/compact-jwt.ts";

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const head = part({ alg: "ES256", typ: "at+jwt" });
const body = part({ iss: "https://as.example" });
const signature = Buffer.alloc(64, 7).toString("base64url");
const jwt = `${head}.${body}.${signature}`;

test("header and payload are read, unverified", (t) => {
  t.deepEqual(readCompactJwt(jwt), {
    header: { alg: "ES256", typ: "at+jwt" },
    payload: { iss: "https://as.example" },
  });
});

/** The same octets with a bit set that the last character does not spend. */
function withUnusedBit(text: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const at = alphabet.indexOf(text.at(-1) ?? "");
  const other = text.slice(0, -1) + (alphabet[at + 1] ?? "");
  if (!Buffer.from(other, "base64url").equals(Buffer.from(text, "base64url"))) throw new Error("other octets");
  return other;
}

const refused: Record<string, string> = {
  "an empty text": "",
  "an opaque token": "5eed",
  "two parts": `${head}.${body}`,
  "four parts": `${jwt}.AA`,
  "five parts, as a JWE has": `${jwt}.AA.AA`,
  "an empty header": `.${body}.${signature}`,
  "an empty payload": `${head}..${signature}`,
  "an empty signature": `${head}.${body}.`,
  "padding after the signature": `${jwt}==`,
  "padding after the header": `${head}=.${body}.${signature}`,
  "a line break at the end": `${jwt}\n`,
  "a blank at the end": `${jwt} `,
  "a blank before it": ` ${jwt}`,
  "a bit set that the signature does not spend": `${head}.${body}.${withUnusedBit(signature)}`,
  "base64 of the other alphabet": `${head}.${body}.${signature.slice(0, -2)}+/`,
  "a header that is no JSON": `AAAA.${body}.${signature}`,
  "a header that is an array": `${part([])}.${body}.${signature}`,
  "a payload that is null": `${head}.${part(null)}.${signature}`,
  "a payload that is text": `${head}.${part("claims")}.${signature}`,
  "a payload that is not UTF-8": `${head}.${Buffer.from('{"a":"\xff"}', "latin1").toString("base64url")}.${signature}`,
};
for (const [what, text] of Object.entries(refused)) {
  test(`not a JWT: ${what}`, (t) => {
    t.is(readCompactJwt(text), undefined);
  });
}
