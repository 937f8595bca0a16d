import test from "ava";
import { CallRefused } from "../../../../src/backend/engine/answer/result.ts";
import { patchDocument } from "../../../../src/backend/engine/discovery/patch-document.ts";
import { createEngineByHand } from "../../../support/engine.ts";
import { serviceSettings } from "../../../support/settings.ts";

const document = { issuer: "https://as.example.com", list: ["a", "b"], nested: { "a/b": 1, "c~d": 2 } };

for (const [what, patch, patched] of [
  ["nothing", [], document],
  ["add", [{ op: "add", path: "/x", value: [1] }], { ...document, x: [1] }],
  ["add to a list", [{ op: "add", path: "/list/-", value: "c" }], { ...document, list: ["a", "b", "c"] }],
  ["remove", [{ op: "remove", path: "/list/0" }], { ...document, list: ["b"] }],
  ["replace", [{ op: "replace", path: "/nested/a~1b", value: 3 }], { ...document, nested: { "a/b": 3, "c~d": 2 } }],
  ["copy", [{ op: "copy", from: "/nested/c~0d", path: "/x" }], { ...document, x: 2 }],
  [
    "move",
    [{ op: "move", from: "/list", path: "/x" }],
    { issuer: document.issuer, nested: document.nested, x: ["a", "b"] },
  ],
  ["move to its own place", [{ op: "move", from: "/list", path: "/list" }], document],
  ["test", [{ op: "test", path: "/list", value: ["a", "b"] }], document],
] as const) {
  test(`a patch is applied: ${what}`, async (t) => {
    const before = structuredClone(document);
    t.deepEqual(await patchDocument(document, JSON.stringify(patch)), patched as object);
    t.deepEqual(document, before);
  });
}

const deep = `${"[".repeat(30_000)}${"]".repeat(30_000)}`;
/** Each copy puts the whole document where it is deepest: few octets, and twice as deep. */
const deepening = [
  ...["issuer", "list", "nested"].map((name) => ({ op: "remove", path: `/${name}` })),
  ...[1, 2, 4, 8, 16, 32].map((depth) => ({ op: "copy", from: "", path: "/a".repeat(depth) })),
  { op: "copy", from: "", path: "/a".repeat(64) },
];

const doubling = [
  { op: "add", path: "/x", value: "x".repeat(1000) },
  ...Array.from({ length: 60 }, (_, n) => ({ op: "copy", from: "", path: `/x${n}` })),
];

for (const [what, patch, code] of [
  ["no JSON", "[", "A221201"],
  ["an object", "{}", "A221201"],
  ["null", "null", "A221201"],
  ["an invalid operation", '["add"]', "A221201"],
  ["an unknown operation", '[{"op":"merge","path":"/a","value":1}]', "A221201"],
  ["an operation of every object", '[{"op":"constructor","path":"/a","value":1}]', "A221201"],
  ["no path", '[{"op":"remove"}]', "A221201"],
  ["a path that is no pointer", '[{"op":"remove","path":"issuer"}]', "A221201"],
  ["a path with a bare tilde", '[{"op":"remove","path":"/a~2"}]', "A221201"],
  ["no value", '[{"op":"add","path":"/a"}]', "A221201"],
  ["no from", '[{"op":"copy","path":"/a"}]', "A221201"],
  ["a move into itself", '[{"op":"move","from":"/nested","path":"/nested/a"}]', "A221201"],
  [
    "101 operations",
    JSON.stringify(Array(101).fill({ op: "test", path: "/issuer", value: document.issuer })),
    "A221201",
  ],
  ["a member that is not there", '[{"op":"remove","path":"/a"}]', "A221202"],
  ["a parent that is not there", '[{"op":"add","path":"/a/b","value":1}]', "A221202"],
  ["a part of a text", '[{"op":"add","path":"/issuer/0","value":1}]', "A221202"],
  ["a place behind a list", '[{"op":"add","path":"/list/3","value":1}]', "A221202"],
  ["the length of a list", '[{"op":"replace","path":"/list/length","value":4000000000}]', "A221202"],
  ["a method of a list", '[{"op":"add","path":"/list/push/x","value":1}]', "A221202"],
  ["a test that fails", '[{"op":"test","path":"/list/0","value":"b"}]', "A221202"],
  ["the whole document", '[{"op":"replace","path":"","value":[]}]', "A221202"],
  ["the prototype", '[{"op":"add","path":"/__proto__/x","value":1}]', "A221202"],
  ["the constructor's prototype", '[{"op":"add","path":"/constructor/prototype/x","value":1}]', "A221202"],
  ["a method of every object", '[{"op":"add","path":"/hasOwnProperty/call","value":1}]', "A221202"],
  ["a copy of a method", '[{"op":"copy","from":"/toString","path":"/x"}]', "A221202"],
  ["what is behind a list, to be replaced", '[{"op":"replace","path":"/list/-","value":1}]', "A221202"],
  ["what is behind a list, to be removed", '[{"op":"remove","path":"/list/-"}]', "A221202"],
  ["what is behind a list, to be copied", '[{"op":"copy","from":"/list/-","path":"/x"}]', "A221202"],
  ["a value that is nested too deep", `[{"op":"add","path":"/x","value":${deep}}]`, "A221203"],
  ["a comparison that is nested too deep", `[{"op":"test","path":"/issuer","value":${deep}}]`, "A221203"],
  ["nothing but nesting", deep, "A221203"],
  ["copies into one another", JSON.stringify(deepening), "A221203"],
  ["copies that double the document each time", JSON.stringify(doubling), "A221203"],
] as const) {
  test(`a patch is refused: ${what}, 400 ${code}`, async (t) => {
    const error = await t.throwsAsync(() => patchDocument(document, patch), { instanceOf: CallRefused });
    t.deepEqual([error.status, error.resultCode], [400, code]);
    t.is(({} as Record<string, unknown>)["x"], undefined);
    t.is(typeof Object.prototype.hasOwnProperty.call, "function");
  });
}

test("a patch is applied to the metadata by either operation; an empty one counts as absent", async (t) => {
  const { operations } = await createEngineByHand(t, [{ settings: serviceSettings(), clients: [] }]);
  const plain = await operations().serviceConfiguration({});
  const patch = '[{"op":"add","path":"/x","value":1}]';
  for (const name of ["serviceConfiguration", "serviceConfigurationPost"] as const) {
    t.deepEqual(await operations()[name]({ patch }), { ...plain, x: 1 });
    t.deepEqual(await operations()[name]({ patch: "" }), plain);
    t.deepEqual(await operations()[name]({ patch: null }), plain);
  }
});
