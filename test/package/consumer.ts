import { execFile } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const exec = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));

/** What an `npm run` around us says of this checkout must not reach the npm that runs elsewhere. */
const ofThisCheckout =
  /^npm_(package|lifecycle|config_local_prefix|config_omit|config_save|command|execpath)|^INIT_CWD$/i;

const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ofThisCheckout.test(name)));

/** Runs a program to its end; rejects, with what it wrote, when it fails. */
export async function run(
  command: string,
  args: readonly string[],
  cwd: string = root,
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  const options = { cwd, env: { ...env, ...more }, encoding: "utf8", maxBuffer: 1 << 26 } as const;
  const { stdout } = await exec(command, args, options).catch((error: unknown) => {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    // Of a test run what went wrong stands at the end.
    const said = stderr.includes("ERR_") || stdout === "" ? stderr.slice(0, 4000) : stdout.slice(-8000);
    throw new Error(`${command} ${args.join(" ")}\n${said}`);
  });
  return stdout;
}

/** A program elsewhere that has the tarball installed from npm like any other package. */
export class Consumer {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  async install(...packages: readonly string[]): Promise<void> {
    await run("npm", ["install", "--no-audit", "--no-fund", "--save-exact", ...packages], this.folder);
  }

  /** Writes a file and answers where. */
  async write(name: string, text: string): Promise<string> {
    await writeFile(join(this.folder, name), text);
    return join(this.folder, name);
  }

  /** The JSON that a module of this program writes. */
  async evaluate(module: string, nodeOptions: readonly string[] = []): Promise<unknown> {
    const file = await this.write("main.mjs", module);
    return JSON.parse(await run(process.execPath, [...nodeOptions, file], this.folder));
  }

  /** Checks a module's types as a strict program would that is compiled with `nodenext`. */
  async checkTypes(text: string, ...more: readonly string[]): Promise<void> {
    await this.write("main.ts", text);
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2024", "--types", "node"];
    await run(process.execPath, [tsc, ...options, ...more, "main.ts"], this.folder);
  }

  /** The names of the installed packages. */
  async installed(): Promise<string[]> {
    const folder = join(this.folder, "node_modules");
    const names = await readdir(folder);
    const scopes = names.filter((name) => name.startsWith("@"));
    const scoped = await Promise.all(
      scopes.map(async (scope) => (await readdir(join(folder, scope))).map((name) => `${scope}/${name}`)),
    );
    return [...names, ...scoped.flat()];
  }

  async manifestOf(name: string): Promise<InstalledManifest> {
    return JSON.parse(
      await readFile(join(this.folder, "node_modules", name, "package.json"), "utf8"),
    ) as InstalledManifest;
  }
}

export interface InstalledManifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly [member: string]: unknown;
}
