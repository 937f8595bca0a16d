import { createHash } from "node:crypto";
import test from "ava";
import fc from "fast-check";
import {
  authorizationResponseUrl,
  formPostPage,
  formPostScriptSource,
} from "../../src/oauth/authorization-response.ts";

for (const [redirectUri, address] of [
  ["https://a.example/cb", "https://a.example/cb?code=x"],
  ["https://a.example", "https://a.example?code=x"],
  ["https://a.example/cb?", "https://a.example/cb?code=x"],
  ["https://a.example/cb?b=%20+c", "https://a.example/cb?b=%20+c&code=x"],
  ["https://a.example/cb?b&", "https://a.example/cb?b&code=x"],
  ["com.example.app:/cb", "com.example.app:/cb?code=x"],
] as const) {
  test(`the parameters stand after what ${redirectUri} has`, (t) => {
    t.is(authorizationResponseUrl(redirectUri, { code: "x", state: undefined }), address);
  });
}

test("whatever a value says, it stays one value of the query, and in ASCII", (t) => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (state) => {
      const address = authorizationResponseUrl("https://a.example/cb?b=1", { state, iss: "https://as" });
      t.regex(address, /^[\x21-\x7E]+$/);
      t.deepEqual(
        [...new URL(address).searchParams],
        [
          ["b", "1"],
          ["state", state],
          ["iss", "https://as"],
        ],
      );
    }),
  );
});

test("the page is a form with a field for each value, a button, and one script", (t) => {
  const page = formPostPage("https://a.example/cb?a=1&b=2", { code: "x", state: undefined, iss: "https://as" });
  t.true(page.startsWith("<!DOCTYPE html>"));
  t.true(page.includes('<form method="post" action="https://a.example/cb?a=1&amp;b=2">'));
  t.deepEqual(
    [...page.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)].map(([, name, value]) => [name, value]),
    [
      ["code", "x"],
      ["iss", "https://as"],
    ],
  );
  t.regex(page, /<button>[^<]+<\/button>/);
  t.is([...page.matchAll(/<script/g)].length, 1);
  t.notRegex(page, /\son[a-z]+=/i);
});

test("the script is the one whose hash the policy names", (t) => {
  const page = formPostPage("https://a.example/cb", { code: "x" });
  const [, script = ""] = /<script>(.*)<\/script>/.exec(page) ?? [];
  t.is(script, "document.forms[0].submit()");
  t.is(formPostScriptSource, `'sha256-${createHash("sha256").update(script).digest("base64")}'`);
  t.true(page.includes(`script-src ${formPostScriptSource.replaceAll("'", "&#39;")};`));
});

test("no value gets out of its attribute", (t) => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('"', "'", "<", ">", "&", "=", "/", ";", " ", "\n", "a") }),
      (state) => {
        const page = formPostPage("https://a.example/cb", { state });
        const [, escaped = "missing"] = /name="state" value="([^"<>']*)">\n<noscript>/.exec(page) ?? [];
        const unescaped = escaped
          .replaceAll("&lt;", "<")
          .replaceAll("&gt;", ">")
          .replaceAll("&quot;", '"')
          .replaceAll("&#39;", "'")
          .replaceAll("&amp;", "&");
        t.is(unescaped, state);
      },
    ),
  );
});
