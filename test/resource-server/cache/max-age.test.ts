import test from "ava";
import { AccessTokenRefused } from "../../../src/resource-server/refusal/access-token-refused.ts";
import { createStreamed } from "../../support/streamed.ts";
import { boundFacts, certificate, createScripted } from "../../support/scripted-backend.ts";

const maxAge = (seconds: number) => ({ requirement: { maxAge: seconds } });

test("a route's maxAge asks for facts anew that are older, and other routes use what came", async (t) => {
  const { backend, authorize, pass } = createScripted();
  backend.tokens.set("good", boundFacts());
  await authorize("good");
  pass(2000);
  await authorize("good", maxAge(2));
  t.is(backend.asked.length, 1);
  pass(1);
  await authorize("good", maxAge(2));
  t.is(backend.asked.length, 2);
  pass(10_000);
  await authorize("good");
  t.is(backend.asked.length, 2);
});

test("a route's maxAge never allows more than the ttl", async (t) => {
  const { backend, authorize, pass } = createScripted();
  backend.tokens.set("good", boundFacts());
  await authorize("good");
  pass(10_001);
  await authorize("good", maxAge(60));
  t.is(backend.asked.length, 2);
});

test("what the stream has vouched for is as young as its last poll", async (t) => {
  const { backend, authorize, open, beatFor } = createStreamed();
  await open();
  await authorize("good");
  await beatFor(20_000);
  await authorize("good", maxAge(0.5));
  t.is(backend.asked.length, 1);
});

test("a maxAge of 0 asks for this request alone: neither memory nor anyone's question will do", async (t) => {
  const { backend, authorize } = createScripted();
  backend.tokens.set("good", boundFacts());
  const gate = Promise.withResolvers<undefined>();
  backend.before = (_, question) => (question === 1 ? gate.promise.then(() => undefined) : undefined);
  const slow = authorize("good");
  backend.tokens.delete("good");
  await t.throwsAsync(authorize("good", maxAge(0)), { instanceOf: AccessTokenRefused });
  const two = [authorize("good", maxAge(0)), authorize("good", maxAge(0))];
  for (const call of two) await t.throwsAsync(call, { instanceOf: AccessTokenRefused });
  t.is(backend.asked.length, 4);
  gate.resolve(undefined);
  await t.notThrowsAsync(slow);
  backend.tokens.set("good", boundFacts());
  await authorize("good", maxAge(0));
  await authorize("good", maxAge(0));
  t.is(backend.asked.length, 6);
});

test("a request joins a question that is no older than its maxAge, and asks itself when it is", async (t) => {
  const { backend, authorize, pass } = createScripted();
  backend.tokens.set("good", boundFacts());
  const gate = Promise.withResolvers<undefined>();
  backend.before = () => gate.promise;
  const calls = [authorize("good")];
  pass(1000);
  calls.push(authorize("good", maxAge(1)));
  t.is(backend.asked.length, 1);
  pass(1);
  calls.push(authorize("good", maxAge(1)));
  t.is(backend.asked.length, 2);
  gate.resolve(undefined);
  await t.notThrowsAsync(Promise.all(calls));
});

test('the backend\'s way of deciding honours it, and it makes no other question (decide: "backend")', async (t) => {
  const { backend, authorize, pass } = createScripted({ decide: "backend" });
  let asked = 0;
  backend.authIntrospection = () => {
    asked += 1;
    const thumbprint = { certificateThumbprint: certificate.x5tS256 };
    return Promise.resolve({ action: "OK", resultCode: "A056001", resultMessage: "", ...thumbprint } as never);
  };
  const presented = { certificate: { ...certificate, raw: new Uint8Array([1]) } };
  await authorize("good", presented);
  pass(2000);
  await authorize("good", { ...presented, ...maxAge(2) });
  t.is(asked, 1);
  await authorize("good", { ...presented, ...maxAge(1) });
  t.is(asked, 2);
  await authorize("good", { ...presented, ...maxAge(0) });
  t.is(asked, 3);
  await authorize("good", presented);
  t.is(asked, 3);
});

for (const wrong of [-1, Number.NaN, "text", null]) {
  test(`a maxAge of ${wrong} is refused by its name`, async (t) => {
    const { authorize } = createScripted();
    const call = authorize("good", { requirement: { maxAge: wrong as never } });
    t.like(await t.throwsAsync(call, { instanceOf: TypeError, message: /^requirement\.maxAge / }), {
      code: "ERR_INVALID_OPTION",
    });
  });
}
