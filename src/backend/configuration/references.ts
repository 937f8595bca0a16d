import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import type { Problem } from "./configuration-error.ts";
import { firstOutside } from "./explain-uri.ts";

/**
 * Reads a file as UTF-8 text and refuses one that is not: a secret must not lose octets on the way.
 *
 * Rejects with the file system's error, or with a `TypeError` of code `ERR_ENCODING_INVALID_ENCODED_DATA`.
 *
 * @example await readTextFile("/etc/certbound/api-secret")
 */
export async function readTextFile(path: string): Promise<string> {
  return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "this user may not read it",
  EPERM: "this user may not read it",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of its path is not a folder",
  ELOOP: "its links lead in a circle",
  ENAMETOOLONG: "its name is too long",
  EMFILE: "too many files are open",
};

/**
 * Says why a file could not be read, in words and with the system's code; a cause without a code could show content,
 * and is not quoted.
 *
 * @example explainFileError(error) // "there is no such file (ENOENT)"
 */
export function explainFileError(error: unknown): string {
  const { code } = error as { code?: unknown };
  if (code === "ERR_ENCODING_INVALID_ENCODED_DATA") return "it is not UTF-8 text";
  if (typeof code !== "string") return "it is unreadable";
  return `${reasons[code] ?? "the system refuses it"} (${code})`;
}

/** Where a secret is: in an environment variable or in a file. */
export type SecretReference = { readonly env: string } | FileReference;

/** A path, relative to the configuration file. */
export interface FileReference {
  readonly file: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;
export type ReadFile = (path: string) => Promise<string>;

const howToGiveSecrets = "must be { env: NAME } or { file: PATH }, never the secret itself";

/** A secret in the file is only ever the place where it is. */
export const secretReference = z.custom<SecretReference>(
  (value) => isSole(value, "file", isPath) || isSole(value, "env", isVariableName),
  { error: ({ input }) => (input === undefined ? undefined : howToGiveSecrets) },
);

/** Public text, given in place or in a file. */
export const textOrFile = z.custom<string | FileReference>(
  (value) => typeof value === "string" || isSole(value, "file", isPath),
  { error: ({ input }) => (input === undefined ? undefined : "must be the text itself or { file: PATH }") },
);

/** A path as the file gives it. */
export const path = z.string().refine(isPath, "must be a path");

function isSole(value: unknown, member: string, accepts: (text: string) => boolean): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const [only, ...others] = Object.entries(value) as [string, unknown][];
  return only?.[0] === member && others.length === 0 && typeof only[1] === "string" && accepts(only[1]);
}

function isPath(text: string): boolean {
  return text !== "" && !text.includes("\0");
}

function isVariableName(text: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(text);
}

/** Fetches what references point to, and remembers what could not be fetched; it answers "" for that. */
export interface ReferenceReader {
  readonly problems: readonly Problem[];
  /** One line, without the newline that ends it. */
  secret(reference: SecretReference, at: string): Promise<string>;
  /** Many lines, as of a PEM file that holds a private key. */
  secretText(reference: SecretReference, at: string): Promise<string>;
  text(textOrFile: string | FileReference, at: string): Promise<string>;
  /** An absolute path. */
  path(relative: string): string;
}

/**
 * Reads references relative to the configuration file; problems name the variable or the path, never the content.
 *
 * @example await createReferenceReader({ path, readFile, env }).secret({ env: "API_SECRET" }, "services[0].apiSecret")
 */
export function createReferenceReader(place: {
  readonly path: string;
  readonly readFile: ReadFile;
  readonly env: Environment;
}): ReferenceReader {
  const problems: Problem[] = [];
  const absolute = (relative: string) => resolve(dirname(place.path), relative);

  async function fromFile({ file }: FileReference, at: string): Promise<string | undefined> {
    try {
      return await place.readFile(absolute(file));
    } catch (error) {
      problems.push({ path: at, sentence: `cannot be read from ${absolute(file)}: ${explainFileError(error)}` });
      return undefined;
    }
  }

  function fromEnvironment(name: string, at: string): string | undefined {
    const value = Object.hasOwn(place.env, name) ? place.env[name] : undefined;
    if (value === undefined) problems.push({ path: at, sentence: `needs the environment variable ${name}: not set` });
    return value;
  }

  async function secretText(reference: SecretReference, at: string): Promise<string> {
    const value = "env" in reference ? fromEnvironment(reference.env, at) : await fromFile(reference, at);
    const secret = value?.replace(/\r?\n$/, "");
    if (secret === "") {
      const place = "env" in reference ? `environment variable ${reference.env}` : `file ${absolute(reference.file)}`;
      problems.push({ path: at, sentence: `is empty: the ${place} has nothing in it` });
    }
    return secret ?? "";
  }

  return {
    problems,
    path: absolute,
    secretText,
    async secret(reference, at) {
      const secret = await secretText(reference, at);
      const odd = firstOutside(secret, /\P{Cc}/u);
      if (odd !== undefined) {
        const sentence = `holds a line break or another control character, at character ${odd.at}`;
        problems.push({ path: at, sentence });
      }
      return secret;
    },
    async text(given, at) {
      return typeof given === "string" ? given : ((await fromFile(given, at)) ?? "");
    },
  };
}
