import { randomBytes } from "node:crypto";
import test from "ava";
import { openSealedAnswer, sealAnswer } from "../../../../src/backend/engine/token/sealed-answer.ts";
import { tokenDigest } from "../../../../src/oauth/token-digest.ts";

const token = randomBytes(32).toString("base64url");
const question = { x5tS256: "thumbprint", scope: "read write", resources: ["https://a.example.com"] };
const response = {
  resultCode: "A053001",
  resultMessage: "[A053001] é",
  action: "OK",
  accessToken: "the new one",
} as const;
const sealed = sealAnswer(token, question, response, randomBytes);

test("a sealed answer opens for the same token and question, whole", (t) => {
  t.deepEqual(openSealedAnswer(token, { ...question, resources: [...question.resources] }, sealed), response);
});

test("it opens for no other token, not even for the digest that the store has of this one", (t) => {
  const digest = tokenDigest(token);
  for (const other of [randomBytes(32).toString("base64url"), "", token.slice(1), `${token}=`]) {
    t.is(openSealedAnswer(other, question, sealed), undefined);
  }
  for (const encoding of ["base64url", "hex", "latin1"] as const) {
    t.is(openSealedAnswer(digest.toString(encoding), question, sealed), undefined);
  }
});

for (const [differs, other] of [
  ["without the certificate", { ...question, x5tS256: undefined }],
  ["with another certificate", { ...question, x5tS256: "another" }],
  ["without the scope", { ...question, scope: undefined }],
  ["with less scope", { ...question, scope: "read" }],
  ["with no resource", { ...question, resources: [] }],
  ["with one more resource", { ...question, resources: [...question.resources, "https://b.example.com"] }],
] as const) {
  test(`it does not answer the question ${differs}`, (t) => {
    t.is(openSealedAnswer(token, other, sealed), undefined);
  });
}

test("one bit changed anywhere, or anything cut off or added: it does not open, and does not throw", (t) => {
  for (let index = 0; index < sealed.length; index++) {
    const changed = Buffer.from(sealed);
    changed[index] = (changed[index] ?? 0) ^ 1;
    t.is(openSealedAnswer(token, question, changed), undefined);
    t.is(openSealedAnswer(token, question, sealed.subarray(0, index)), undefined);
  }
  t.is(openSealedAnswer(token, question, Buffer.concat([sealed, Buffer.alloc(1)])), undefined);
});

test("sealed twice it differs, and neither text shows anything of the answer", (t) => {
  const again = Buffer.from(sealAnswer(token, question, response, randomBytes));
  t.false(again.equals(sealed));
  for (const text of [response.accessToken, token, "A053001", "read write"]) {
    t.false(again.includes(text));
    t.false(Buffer.from(sealed).includes(text));
  }
});
