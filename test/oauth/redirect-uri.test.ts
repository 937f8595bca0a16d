import test from "ava";
import fc from "fast-check";
import { isRedirectUri, isSameRedirectUri } from "../../src/oauth/redirect-uri.ts";

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

test("what leads to no client, or runs, cannot be registered", (t) => {
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

test("what cannot be registered is no redirect URI either, should it stand in the store", (t) => {
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
  test(`the same but for the port of a loopback address: ${registered} and ${requested}`, (t) => {
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
