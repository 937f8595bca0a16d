import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { opensslPath } from "../../certificate-corpora/openssl-path.ts";

/** A program in the place of `openssl`, and the directory in which the verifier makes its own. */
export interface StandIn extends AsyncDisposable {
  /** What a verifier takes. */
  readonly options: { readonly openssl: string; readonly path: string; readonly temporaryDirectory: string };
  /** A file beside the program: `$here/name` in it. */
  readonly file: (name: string) => string;
  /** How often the program was started, if it says `echo >>$here/runs`. */
  runs(): Promise<number>;
  /** What the verifier has left behind. */
  leftovers(): Promise<string[]>;
}

/** Puts a shell script in the place of `openssl`. */
export async function createStandIn(script: string): Promise<StandIn> {
  const directory = await mkdtemp(join(tmpdir(), "certbound-"));
  const file = (name: string) => join(directory, name);
  await mkdir(file("temporary"));
  await writeFile(file("openssl"), `#!/bin/sh\nhere='${directory}'\n${script}\n`);
  await chmod(file("openssl"), 0o700);
  return {
    options: { openssl: file("openssl"), path: opensslPath, temporaryDirectory: file("temporary") },
    file,
    runs: async () => {
      const runs = await readFile(file("runs"), "utf8").catch(() => "");
      return runs.length;
    },
    leftovers: () => readdir(file("temporary")),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
