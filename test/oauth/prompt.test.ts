import test from "ava";
import { lowestPrompt, readPrompt, type Prompt } from "../../src/oauth/prompt.ts";

test("prompts are read in their order, each once", (t) => {
  t.deepEqual(readPrompt("consent login consent"), { ok: true, prompts: ["consent", "login"] });
  t.deepEqual(readPrompt("none"), { ok: true, prompts: ["none"] });
  t.deepEqual(readPrompt("none none"), { ok: true, prompts: ["none"] });
  t.deepEqual(readPrompt("create select_account"), { ok: true, prompts: ["create", "select_account"] });
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
    t.deepEqual(readPrompt(text), { ok: false, reason: "unknown" }, text);
  }
});

test("none stands alone", (t) => {
  for (const text of ["none login", "consent none", "none create"]) {
    t.deepEqual(readPrompt(text), { ok: false, reason: "alone" }, text);
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
