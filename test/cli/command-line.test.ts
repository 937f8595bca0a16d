import { readFile } from "node:fs/promises";
import test from "ava";
import { runHere, startCertbound } from "./run-certbound.ts";

test("--help says what there is, with an example", async (t) => {
  const { code, stdout, stderr } = await runHere(["--help"]);
  t.is(code, 0);
  t.is(stderr, "");
  t.regex(stdout, /^Usage: certbound /);
  t.regex(stdout, /^ {2}serve .*Run the backend/m);
  t.regex(stdout, /\$ certbound serve --config backend\.yaml/);
});

test("serve --help says what each option does, with an example, and what the exit codes mean", async (t) => {
  const { code, stdout, stderr } = await runHere(["serve", "--help"]);
  t.is(code, 0);
  t.is(stderr, "");
  for (const expected of [
    "--config <file>",
    "--check",
    "certbound serve --config backend.yaml --check",
    "Exit codes:",
  ]) {
    t.true(stdout.includes(expected), expected);
  }
  for (const line of stdout.split("\n")) t.true(line.length <= 120, line);
});

test("--version is the package's version", async (t) => {
  const { version } = JSON.parse(await readFile("package.json", "utf8")) as { version: string };
  t.deepEqual(await runHere(["--version"]), { code: 0, stdout: `${version}\n`, stderr: "" });
});

test("a command line that is not understood ends with 2, says why and where there is help", async (t) => {
  const rows: readonly [string[], RegExp][] = [
    [[], /^Usage: certbound /],
    [["srve"], /unknown command 'srve'/],
    [["serve"], /required option '--config <file>' not specified/],
    [["serve", "--config"], /option '--config <file>' argument missing/],
    [["serve", "--config", "a.yaml", "--chek"], /unknown option '--chek'/],
    [["serve", "--config", "a.yaml", "b.yaml"], /too many arguments/],
    [["--verbose"], /unknown option '--verbose'/],
  ];
  for (const [args, message] of rows) {
    const { code, stdout, stderr } = await runHere(args);
    t.is(code, 2, args.join(" "));
    t.is(stdout, "");
    t.regex(stderr, message);
    if (args.length > 0) t.regex(stderr, /certbound serve --help/);
  }
});

test("the command itself runs, and ends with the exit code", async (t) => {
  const help = await startCertbound(t, ["--help"]).ended();
  t.is(help.code, 0);
  t.regex(help.stdout, /^Usage: certbound /);
  t.is((await startCertbound(t, ["serve"]).ended()).code, 2);
});
