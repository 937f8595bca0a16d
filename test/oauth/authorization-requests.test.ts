import { createHash } from "node:crypto";
import test from "ava";
import fc from "fast-check";
import {
  authorizationResponseUrl,
  formPostPage,
  formPostScriptSource,
} from "../../src/oauth/authorization-response.ts";
import {
  readClaimsRequest,
  scopeClaims,
  lowestPrompt,
  type Prompt,
  readPrompt,
} from "../../src/oauth/openid-parameters.ts";
import { checkCodeVerifier, isCodeChallenge } from "../../src/oauth/code-challenge.ts";
import { isLoopback, isRedirectUri, isSameRedirectUri } from "../../src/oauth/uri.ts";

for (const [redirectUri, address] of [
  ["https://a.example/cb", "https://a.example/cb?code=x"],
  ["https://a.example", "https://a.example?code=x"],
  ["https://a.example/cb?", "https://a.example/cb?code=x"],
  ["https://a.example/cb?b=%20+c", "https://a.example/cb?b=%20+c&code=x"],
  ["https://a.example/cb?b&", "https://a.example/cb?b&code=x"],
  ["com.example.app:/cb", "com.example.app:/cb?code=x"],
] as const) {
  test(`the parameters follow those that ${redirectUri} has`, (t) => {
    t.is(authorizationResponseUrl(redirectUri, { code: "x", state: undefined }), address);
  });
}

test("a value stays one value of the query, and in ASCII, whatever it contains", (t) => {
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

test("prompts are read in their order, each once", (t) => {
  t.deepEqual(readPrompt("consent login consent"), ["consent", "login"]);
  t.deepEqual(readPrompt("none"), ["none"]);
  t.deepEqual(readPrompt("none none"), ["none"]);
  t.deepEqual(readPrompt("create select_account"), ["create", "select_account"]);
});

test("other words, other blanks and capitals are unknown", (t) => {
  for (const text of [
    "",
    " ",
    "x",
    "login x",
    "LOGIN",
    "login  consent",
    " login",
    "login\tconsent",
    "login,consent",
  ]) {
    t.deepEqual(readPrompt(text), { error: "unknown" }, text);
  }
});

test("prompt none is valid only alone", (t) => {
  for (const text of ["none login", "consent none", "none create"]) {
    t.deepEqual(readPrompt(text), { error: "alone" }, text);
  }
});

test("the lowest prompt is the one that demands most", (t) => {
  const lowest: [Prompt[], Prompt][] = [
    [[], "consent"],
    [["none"], "none"],
    [["consent", "login"], "login"],
    [["select_account", "consent"], "select_account"],
    [["login", "create"], "create"],
  ];
  for (const [prompts, prompt] of lowest) t.is(lowestPrompt(prompts), prompt, prompts.join(" "));
});

test("the example of OpenID Connect Core §5.5 is read", (t) => {
  const request = readClaimsRequest(`{
    "userinfo": {
      "given_name": {"essential": true}, "nickname": null, "email": {"essential": true},
      "http://example.info/claims/groups": null
    },
    "id_token": {"auth_time": {"essential": true}, "acr": {"values": ["urn:mace:incommon:iap:silver"]}}
  }`);
  t.deepEqual(
    [...(request?.userInfo?.claims ?? [])],
    [
      ["given_name", { essential: true, values: [] }],
      ["nickname", { essential: false, values: [] }],
      ["email", { essential: true, values: [] }],
      ["http://example.info/claims/groups", { essential: false, values: [] }],
    ],
  );
  t.deepEqual(
    [...(request?.idToken?.claims ?? [])],
    [
      ["auth_time", { essential: true, values: [] }],
      ["acr", { essential: false, values: ["urn:mace:incommon:iap:silver"] }],
    ],
  );
  t.is(request?.idToken?.text, '{"auth_time":{"essential":true},"acr":{"values":["urn:mace:incommon:iap:silver"]}}');
});

test("a value is a list of one, and more of a claim than is understood is kept in the text", (t) => {
  const request = readClaimsRequest('{"id_token":{"sub":{"value":"john","x":1}}}');
  t.deepEqual(request?.idToken?.claims.get("sub"), { essential: false, values: ["john"] });
  t.is(request?.idToken?.text, '{"sub":{"value":"john","x":1}}');
  t.is(request?.userInfo, undefined);
});

test("a request may contain only unknown members", (t) => {
  for (const text of ["{}", '{"other":1}', '{"id_token":null,"userinfo":null}']) {
    t.deepEqual(readClaimsRequest(text), { idToken: undefined, userInfo: undefined }, text);
  }
});

test("names that objects have anyway are names like any other", (t) => {
  const request = readClaimsRequest(
    '{"__proto__":{"id_token":{"a":null}},"userinfo":{"__proto__":null,"constructor":{}}}',
  );
  t.is(request?.idToken, undefined);
  t.deepEqual([...(request?.userInfo?.claims.keys() ?? [])], ["__proto__", "constructor"]);
});

const nested = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;

test("a text may be nested 32 levels deep", (t) => {
  t.truthy(readClaimsRequest(`{"id_token":{"a":{"x":${nested(29)}}}}`));
  t.is(readClaimsRequest(`{"id_token":{"a":{"x":${nested(30)}}}}`), undefined);
  t.is(readClaimsRequest(`{"x":${nested(8000)}}`), undefined);
  t.is(readClaimsRequest(`{"x":{"__proto__":${nested(8000)}}}`), undefined);
});

for (const text of [
  "",
  "{",
  "null",
  "[]",
  "1",
  '"a"',
  '{"id_token":[]}',
  '{"id_token":"a"}',
  '{"userinfo":1}',
  '{"id_token":{"a":1}}',
  '{"id_token":{"a":[]}}',
  '{"id_token":{"a":true}}',
  '{"id_token":{"a":{"essential":"true"}}}',
  '{"id_token":{"a":{"values":"a"}}}',
  '{"id_token":{}} x',
]) {
  test(`no claims request: ${text}`, (t) => {
    t.is(readClaimsRequest(text), undefined);
  });
}

test("four scopes stand for claims, the others do not", (t) => {
  t.deepEqual(scopeClaims(["openid", "email", "x", "__proto__"]), ["email", "email_verified"]);
  t.deepEqual(scopeClaims(["phone", "address"]), ["phone_number", "phone_number_verified", "address"]);
  t.is(scopeClaims(["profile"]).length, 14);
  t.is(new Set(scopeClaims(["profile", "email", "address", "phone"])).size, 19);
});

/** RFC 7636 App. B. */
const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

test("the verifier of RFC 7636 Appendix B fits its challenge", (t) => {
  t.is(checkCodeVerifier(verifier, challenge), "ok");
  t.true(isCodeChallenge(challenge));
});

test("a verifier fits the challenge made of it, and no other's", (t) => {
  const unreserved = fc.constantFrom("A", "Z", "a", "z", "0", "9", "-", ".", "_", "~");
  const verifiers = fc.string({ unit: unreserved, minLength: 43, maxLength: 128 });
  fc.assert(
    fc.property(verifiers, verifiers, (own, other) => {
      const made = createHash("sha256").update(own).digest("base64url");
      t.true(isCodeChallenge(made));
      t.is(checkCodeVerifier(own, made), "ok");
      t.is(checkCodeVerifier(other, made), other === own ? "ok" : "different");
    }),
  );
});

test("a challenge is no verifier of itself (plain)", (t) => {
  t.is(checkCodeVerifier(challenge, challenge), "different");
});

for (const [what, text] of [
  ["empty", ""],
  ["42 characters", "a".repeat(42)],
  ["129 characters", "a".repeat(129)],
  ["padding", `${"a".repeat(43)}=`],
  ["a blank", `${"a".repeat(43)} `],
  ["a line break", `${"a".repeat(43)}\n`],
  ["a plus sign", `${"a".repeat(43)}+`],
  ["a slash", `${"a".repeat(43)}/`],
  ["a letter beyond ASCII", `${"a".repeat(43)}é`],
  ["a NUL", `${"a".repeat(43)}\0`],
] as const) {
  test(`a verifier is malformed: ${what}`, (t) => {
    const made = createHash("sha256").update(text).digest("base64url");
    t.is(checkCodeVerifier(text, made), "malformed");
  });
}

test("a verifier has 43 to 128 characters", (t) => {
  for (const length of [43, 44, 127, 128]) {
    const text = "~".repeat(length);
    t.is(checkCodeVerifier(text, createHash("sha256").update(text).digest("base64url")), "ok", String(length));
  }
});

for (const [what, text] of [
  ["empty", ""],
  ["42 characters", challenge.slice(1)],
  ["44 characters", `A${challenge}`],
  ["padding", `${challenge}=`],
  ["a line break", `${challenge}\n`],
  ["standard base64", challenge.replace("-", "+")],
  ["a dot", challenge.replace("E", ".")],
  ["an unused bit that is set", `${challenge.slice(0, -1)}N`],
  ["a letter beyond ASCII", challenge.replace("E", "é")],
] as const) {
  test(`no challenge: ${what}`, (t) => {
    t.false(isCodeChallenge(text));
  });
}

test("absolute URIs without fragment can be registered", (t) => {
  for (const uri of [
    "https://client.example.com/cb",
    "https://client.example.com/cb?a=1",
    "https://client.example.com:8443",
    "http://127.0.0.1/cb",
    "http://[::1]:8080/cb",
    "com.example.app:/oauth2redirect",
    "com.example.app://cb",
  ]) {
    t.true(isRedirectUri(uri), uri);
  }
});

test("a URI that leads to no client, or runs code, cannot be registered", (t) => {
  for (const uri of [
    "",
    "/cb",
    "//client.example.com/cb",
    "client.example.com/cb",
    "https://client.example.com/cb#a",
    "https://client.example.com/cb#",
    "https:///cb",
    "https:cb",
    "https://client.example.com/a b",
    "https://client.example.com/\n",
    "https://client.example.com/é",
    'https://client.example.com/"',
    "https://client.example.com/%zz",
    "https://client.example.com/*[",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "blob:https://client.example.com/1",
    "about:blank",
  ]) {
    t.false(isRedirectUri(uri), uri);
  }
});

test("a redirect URI is the registered one, and no other text", (t) => {
  const uri = fc.webUrl({ withQueryParameters: true });
  fc.assert(
    fc.property(uri, uri, (registered, other) => {
      t.is(isSameRedirectUri(registered, registered), isRedirectUri(registered));
      t.is(isSameRedirectUri(registered, other), registered === other && isRedirectUri(registered));
    }),
  );
});

test("a URI that cannot be registered is never a redirect URI, even if the store has it", (t) => {
  for (const uri of ["javascript:alert(1)", "data:text/html,x", "https://client.example.com/cb#a", "/cb"]) {
    t.false(isSameRedirectUri(uri, uri), uri);
  }
});

for (const [registered, requested] of [
  ["http://127.0.0.1/cb", "http://127.0.0.1:49152/cb"],
  ["http://127.0.0.1:1/cb?a=1", "http://127.0.0.1:65535/cb?a=1"],
  ["http://127.0.0.1:8080", "http://127.0.0.1"],
  ["http://[::1]/cb", "http://[::1]:49152/cb"],
  ["http://[::1]:8080?a", "http://[::1]?a"],
] as const) {
  test(`equal except for the port of a loopback address: ${registered} and ${requested}`, (t) => {
    t.true(isSameRedirectUri(registered, requested));
  });
}

for (const [registered, requested] of [
  ["http://127.0.0.1/cb", "http://127.0.0.1:49152/cb/"],
  ["http://127.0.0.1/cb", "http://127.0.0.1:49152/CB"],
  ["http://127.0.0.1/cb", "http://127.0.0.1:49152/cb?a"],
  ["http://127.0.0.1/cb", "http://127.0.0.1:49152"],
  ["http://127.0.0.1/cb", "http://127.0.0.1:0/cb"],
  ["http://127.0.0.1/cb", "http://127.0.0.1:08/cb"],
  ["http://127.0.0.1/cb", "http://127.0.0.1:65536/cb"],
  ["http://127.0.0.1/cb", "http://127.0.0.1:/cb"],
  ["http://127.0.0.1/cb", "http://127.0.0.1:80@evil.example/cb"],
  ["http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb"],
  ["http://127.0.0.1/cb", "http://127.0.0.1:80.evil.example/cb"],
  ["http://127.0.0.1/cb", "http://user@127.0.0.1:80/cb"],
  ["http://127.0.0.1/cb", "http://127.0.0.2:80/cb"],
  ["http://127.0.0.1/cb", "http://127.1:80/cb"],
  ["http://127.0.0.1/cb", "http://0x7f000001:80/cb"],
  ["http://127.0.0.1/cb", "http://[::1]:80/cb"],
  ["http://127.0.0.1/cb", "https://127.0.0.1:80/cb"],
  ["http://127.0.0.1/cb", "HTTP://127.0.0.1:80/cb"],
  ["http://127.0.0.1/cb", "http://127.0.0.1:80/cb\n"],
  ["http://127.0.0.1/cb", "http://127.0.0.1:80/cb#a"],
  ["http://[::1]/cb", "http://[0:0:0:0:0:0:0:1]:80/cb"],
  ["http://localhost/cb", "http://localhost:80/cb"],
  ["https://127.0.0.1/cb", "https://127.0.0.1:8443/cb"],
  ["https://client.example.com/cb", "https://client.example.com:8443/cb"],
] as const) {
  test(`not the same: ${registered} and ${JSON.stringify(requested)}`, (t) => {
    t.false(isSameRedirectUri(registered, requested));
  });
}

for (const host of ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1", "[::1]", "[::ffff:7f00:1]"]) {
  test(`a loopback host: ${host}`, (t) => {
    t.true(isLoopback(host));
  });
}

for (const host of [
  "",
  "0.0.0.0",
  "[::]",
  "10.0.0.1",
  "localhost.example.com",
  "127.0.0.1.example.com",
  "127.1",
  "[]",
]) {
  test(`no loopback host: ${host}`, (t) => {
    t.false(isLoopback(host));
  });
}
