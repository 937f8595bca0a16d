import test from "ava";
import { readRequirement } from "../../../src/resource-server/decision/read-requirement.ts";

test("what was read is read once, and nothing that its author changes later changes it", (t) => {
  const scopes = ["read"];
  const resources = ["https://api.example.com"];
  const requirement = { scopes, resources, maxAge: 1 };
  const read = readRequirement(requirement);
  t.is(readRequirement(read), read);
  scopes.pop();
  resources.push("https://other.example.com");
  requirement.maxAge = 60;
  t.deepEqual(read, {
    binding: "required",
    scopes: ["read"],
    resources: ["https://api.example.com"],
    maxAge: 1,
  });
  t.throws(() => (read.scopes as string[]).push("admin"), { instanceOf: TypeError });
  t.throws(() => Object.assign(read, { binding: "if-bound" }), { instanceOf: TypeError });
});

test("one that only looks like one that was read is read anew", (t) => {
  const read = readRequirement({ scopes: ["read"] });
  t.throws(() => readRequirement({ ...read, ...{ scope: "read" } }), { code: "ERR_INVALID_OPTION" });
  t.throws(() => readRequirement(Object.create(read) as typeof read), { code: "ERR_INVALID_OPTION" });
});
