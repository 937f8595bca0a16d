import test from "ava";
import {
  apiNames,
  clientAuthenticationMethods,
  grantTypes,
  isSameAlgorithm,
  macAlgorithms,
  signingAlgorithms,
} from "../../src/oauth/registered-names.ts";
import { readSourceTree } from "../support/source-tree.ts";

const files = await readSourceTree(new URL("../../src/", import.meta.url));

test("Ed25519 has two names, and every other algorithm one", (t) => {
  for (const one of signingAlgorithms) {
    const same = signingAlgorithms.filter((other) => isSameAlgorithm(one, other));
    t.deepEqual(same, one === "EdDSA" || one === "Ed25519" ? ["EdDSA", "Ed25519"] : [one]);
  }
  for (const other of ["none", "HS256", "ES256K", "Ed448", ""]) {
    t.false(signingAlgorithms.some((one) => isSameAlgorithm(one, other)));
  }
});

test("the API spells a registered name in capitals", (t) => {
  t.deepEqual(apiNames(["none", "client_secret_basic"]), ["NONE", "CLIENT_SECRET_BASIC"]);
});

// A second list would sooner or later be another one.
for (const [what, names, mostElsewhere] of [
  ["signing algorithms", [...signingAlgorithms, ...macAlgorithms], 3],
  ["client authentication methods", clientAuthenticationMethods, 3],
  ["client authentication methods of the API", apiNames(clientAuthenticationMethods), 3],
  ["grant types", grantTypes, 3],
  ["grant types of the API", apiNames(grantTypes), 3],
] as const) {
  test(`no file of src lists the ${what} a second time`, (t) => {
    const lists = files.filter(({ path, text }) => {
      if (path === "oauth/registered-names.ts") return false;
      // Names in one array literal, in one union of types, or in one text that is split.
      return [...text.matchAll(/\[[^[\]]*\]|(?:"[^"\n]*"\s*\|\s*)+"[^"\n]*"|"[^"\n]*"/g)].some(
        ([list]) => names.filter((name) => list.split(/[^A-Za-z0-9_]+/).includes(name)).length > mostElsewhere,
      );
    });
    t.deepEqual(
      lists.map(({ path }) => path),
      [],
    );
  });
}
