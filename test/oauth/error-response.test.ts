import test from "ava";
import fc from "fast-check";
import { errorResponseBody } from "../../src/oauth/error-response.ts";

test("an error response has the members of RFC 6749 §5.2 that were given", (t) => {
  t.is(errorResponseBody({ error: "invalid_request" }), '{"error":"invalid_request"}');
  t.is(
    errorResponseBody({
      error: "invalid_client",
      error_description: "[A048308] The client could not be authenticated.",
      error_uri: "https://docs.example.com/errors?code=1#A048308",
    }),
    '{"error":"invalid_client","error_description":"[A048308] The client could not be authenticated.",' +
      '"error_uri":"https://docs.example.com/errors?code=1#A048308"}',
  );
  t.is(errorResponseBody({ error: "x", error_description: undefined, error_uri: undefined }), '{"error":"x"}');
});

test("characters that the RFC forbids become question marks, one each", (t) => {
  t.deepEqual(JSON.parse(errorResponseBody({ error: "é", error_description: 'a\r\nb"c\\d😀e\tf\0' })), {
    error: "?",
    error_description: "a??b?c?d?e?f?",
  });
});

test("a URI with a character that does not belong is left out", (t) => {
  for (const error_uri of [
    "",
    "https://example.com/a b",
    'https://example.com/"',
    "https://example.com/\n",
    "https://é/",
  ]) {
    t.is(errorResponseBody({ error: "x", error_uri }), '{"error":"x"}', JSON.stringify(error_uri));
  }
});

test("whatever the texts are, the body is JSON with members in their character sets", (t) => {
  const text = fc.string({
    unit: fc.oneof(
      fc.constantFrom('"', "\\", "\r", "\n", "\uD800", "😀", "a"),
      fc.nat(0xffff).map((code) => String.fromCharCode(code)),
    ),
  });
  fc.assert(
    fc.property(text, text, text, (error, error_description, error_uri) => {
      const body = errorResponseBody({ error, error_description, error_uri });
      t.regex(body, /^[\x20-\x7E]*$/);
      const members = JSON.parse(body) as Record<string, string>;
      t.regex(members["error"] ?? "", /^[\x20\x21\x23-\x5B\x5D-\x7E]*$/);
      t.regex(members["error_description"] ?? "", /^[\x20\x21\x23-\x5B\x5D-\x7E]*$/);
      if (members["error_uri"] !== undefined) t.regex(members["error_uri"], /^[\x21\x23-\x5B\x5D-\x7E]+$/);
    }),
  );
});
