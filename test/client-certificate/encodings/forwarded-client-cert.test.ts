import test from "ava";
import { onlyPair, readForwardedClientCert } from "../../../src/client-certificate/encodings/forwarded-client-cert.ts";
import { envoy } from "../../../src/resource-server/index.ts";
import { createSelfSigned } from "../../support/certificates.ts";
import { listenFor, loopback as from } from "../../support/header-listener.ts";
import { der, sha256Hex, vector, x5tS256 } from "../certificate-vectors.ts";

const whole = { x5tS256, octets: der.length };
const thumbprintAlone = { x5tS256, octets: 0 };
const header = "X-Forwarded-Client-Cert";
const other = createSelfSigned({ subject: "CN=other" });
const otherHex = Buffer.from(other.x5tS256, "base64url").toString("hex");
const otherCert = encodeURIComponent(other.pem);
const cert = /Cert="([^"]*)"/.exec(vector("envoy_xfcc").value)?.[1] ?? "";

for (const [text, elements] of [
  ["Hash=a", [[["hash", "a"]]]],
  [
    "HASH=a;hAsH=b",
    [
      [
        ["hash", "a"],
        ["hash", "b"],
      ],
    ],
  ],
  [
    "By=a;Hash=b,By=c;Hash=d",
    [
      [
        ["by", "a"],
        ["hash", "b"],
      ],
      [
        ["by", "c"],
        ["hash", "d"],
      ],
    ],
  ],
  ["By=a, By=b,\t By=c", [[["by", "a"]], [["by", "b"]], [["by", "c"]]]],
  ['Subject="CN=a,O=b;c=d"', [[["subject", "CN=a,O=b;c=d"]]]],
  ['Subject="CN=a\\"b"', [[["subject", 'CN=a"b']]]],
  // A name that ends with a backslash, as RFC 4514 writes it: its quotes end where they should.
  [
    'Subject="CN=a\\\\";Hash=b',
    [
      [
        ["subject", "CN=a\\"],
        ["hash", "b"],
      ],
    ],
  ],
  [
    'Subject="";URI=',
    [
      [
        ["subject", ""],
        ["uri", ""],
      ],
    ],
  ],
  ["URI=spiffe://a/b?c=d", [[["uri", "spiffe://a/b?c=d"]]]],
  [
    "DNS=a;DNS=b",
    [
      [
        ["dns", "a"],
        ["dns", "b"],
      ],
    ],
  ],
] as const) {
  test(`the list is read: ${text}`, (t) => {
    t.deepEqual(readForwardedClientCert(text), elements as never);
  });
}

for (const text of [
  "",
  "Hash",
  "=a",
  ";Hash=a",
  "Hash=a;",
  "Hash=a,",
  ",Hash=a",
  "Hash=a,,Hash=b",
  "Hash=a;;By=b",
  'Subject="a',
  'Subject="a\\"',
  'Subject="a"b',
  'Subject=a"b"',
  'Subject="a" ;Hash=b',
  "Hash =a",
  "Ha-sh=a",
  `Hash=${"a;By=".repeat(1025)}b`,
  Array(33).fill("By=a").join(),
]) {
  test(`what is no such list is refused: ${text.slice(0, 40)}`, (t) => {
    t.is(readForwardedClientCert(text), undefined);
  });
}

test("of a pair that is there twice there is no only one", (t) => {
  const element = [
    ["hash", "a"],
    ["uri", "b"],
    ["uri", "c"],
  ] as const;
  t.is(onlyPair(element, "hash"), "a");
  t.is(onlyPair(element, "uri"), null);
  t.is(onlyPair(element, "cert"), undefined);
});

test("the last element counts: one that a client has put before it does not", async (t) => {
  const { ask } = await listenFor(t, envoy({ from, element: "last" }));
  const forged = `Hash=${otherHex};Cert="${otherCert}"`;
  t.deepEqual(await ask([header, `${forged},By=b;Hash=${sha256Hex}`]), thumbprintAlone);
  t.deepEqual(await ask([header, `${forged},${vector("envoy_xfcc").value}`]), whole);
  t.deepEqual(await ask([header, `${vector("envoy_xfcc").value},${forged}`]), {
    x5tS256: other.x5tS256,
    octets: other.der.length,
  });
  t.deepEqual(await ask([header, `${vector("envoy_xfcc").value},By=mesh`]), { unreadable: "hash_missing" });
});

test("a quoted name that holds commas, semicolons and a hash adds no element and no pair", async (t) => {
  const { ask } = await listenFor(t, envoy({ from, element: "only" }));
  const subject = `CN=a\\",Hash=${otherHex};Hash=${otherHex},O=b\\\\`;
  t.deepEqual(await ask([header, `Hash=${sha256Hex};Subject="${subject}"`]), thumbprintAlone);
});

test("what a certificate's URI writes without quotes cannot name another certificate, unless several elements are asked for", async (t) => {
  const { ask } = await listenFor(t, envoy({ from }));
  const injected = [`x,Hash=${otherHex}`, `x;Hash=${otherHex}`, `x,By=b;Hash=${otherHex}`];
  const found = await Promise.all(injected.map((uri) => ask([header, `Hash=${sha256Hex};URI=${uri}`])));
  t.deepEqual(found, [{ unreadable: "element_count" }, { unreadable: "not_xfcc" }, { unreadable: "element_count" }]);
});

test("the hop can be chosen, and must be there", async (t) => {
  const second = await listenFor(t, envoy({ from, element: "second-to-last" }));
  t.deepEqual(await second.ask([header, `Hash=${sha256Hex},Hash=${otherHex}`]), thumbprintAlone);
  t.deepEqual(await second.ask([header, `Hash=${sha256Hex}`]), { unreadable: "element_count" });
  const only = await listenFor(t, envoy({ from, element: "only" }));
  t.deepEqual(await only.ask([header, `Hash=${sha256Hex}`]), thumbprintAlone);
  t.throws(() => envoy({ from, element: "first" as never }), { code: "ERR_INVALID_OPTION" });
  t.throws(() => envoy(undefined as never), { code: "ERR_INVALID_OPTION" });
});

test("hash and certificate must agree; each alone will do, neither is no answer", async (t) => {
  const { ask } = await listenFor(t, envoy({ from }));
  t.deepEqual(await ask([header, `Hash=${sha256Hex};Cert="${cert}"`]), whole);
  t.deepEqual(await ask([header, `hash=${sha256Hex.toUpperCase()};CERT=${cert}`]), whole);
  t.deepEqual(await ask([header, `Cert="${cert}"`]), whole);
  t.deepEqual(await ask([header, `Hash=${otherHex};Cert="${cert}"`]), { unreadable: "hash_mismatch" });
  t.deepEqual(await ask([header, `Hash=${sha256Hex};Cert="${cert.slice(0, -10)}"`]), { unreadable: "not_pem" });
  t.deepEqual(await ask([header, `Hash=${sha256Hex};Cert=""`]), { unreadable: "empty" });
  t.deepEqual(await ask([header, `Hash=;Cert="${cert}"`]), { unreadable: "not_sha256" });
  t.deepEqual(await ask([header, "By=a"]), { unreadable: "hash_missing" });
  t.deepEqual(await ask([header, `Hash=${sha256Hex};Hash=${sha256Hex}`]), { unreadable: "not_xfcc" });
  t.deepEqual(await ask([header, `Hash=${sha256Hex};Cert=${cert};Cert=${cert}`]), { unreadable: "not_xfcc" });
  t.deepEqual(await ask([header, `Hash=${sha256Hex.slice(0, 40)}`]), { unreadable: "not_sha256" });
});

test("the chain is never looked at", async (t) => {
  const { ask } = await listenFor(t, envoy({ from }));
  t.deepEqual(await ask([header, `Hash=${sha256Hex};Chain="${otherCert}"`]), thumbprintAlone);
  t.deepEqual(await ask([header, `Chain="${cert}"`]), { unreadable: "hash_missing" });
});
