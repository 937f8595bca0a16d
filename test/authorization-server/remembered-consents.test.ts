import test from "ava";
import { createSignInWorld } from "./sign-in-world.ts";

test("a consent whose scopes are a text, or that is none, grants nothing: the user table's fault is told", async (t) => {
  const whole = { scopes: ["openid", "read"], claims: [], resources: [] };
  const redirect = "response_type=code&client_id=4711&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb";
  const wrong = ["openid readonly", { ...whole, scopes: "openid readonly" }, { ...whole, claims: undefined }];
  for (const consent of [...wrong, null, 7, { ...whole, resources: [7] }]) {
    const world = createSignInWorld({ consents: { granted: () => [consent as never], grant: () => undefined } });
    const browser = world.openBrowser();
    const answer = await browser.login(await browser.get(redirect));
    t.is(answer.status, 503, JSON.stringify(consent));
    t.deepEqual(
      world.asked.map(({ operation }) => operation),
      ["authAuthorization"],
    );
    t.is(world.failures.length, 1);
  }
  const world = createSignInWorld({ consents: { granted: () => [whole], grant: () => undefined } });
  const browser = world.openBrowser();
  t.is((await browser.login(await browser.get(redirect))).status, 303);
});
