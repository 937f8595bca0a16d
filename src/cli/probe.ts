import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { isLoopback } from "../oauth/uri.ts";
import { MalformedCertificate } from "../x509/malformed-certificate.ts";
import { readCertificates } from "../x509/read-certificate.ts";
import { type ProbedAddress, type Identity, makeStranger, readStranger, type Stranger } from "./probe/raw-request.ts";
import { type ProbeResult, type Probe, runProbe } from "./probe/run-probe.ts";
import type { ProgramHost } from "./program-host.ts";

export interface ProbeOptions {
  /** File of the certificate that the token is bound to, and file of its key. */
  readonly certificate: string;
  readonly key?: string;
  /** `false`: do not verify that the token gives access to the API with its certificate. */
  readonly control: boolean;
  readonly tokenFile?: string;
  readonly stranger?: string;
  readonly ca?: string;
  readonly path?: string;
  readonly header: readonly string[];
  /** Milliseconds for one request. */
  readonly timeout: string;
  readonly json?: boolean;
}

/** A wrong option, or a wrong file that it names. */
class Misused extends Error {}

const exitCodes: Readonly<Record<ProbeResult["verdict"], number>> = { "not believed": 0, believed: 1, inconclusive: 2 };
const misused = 2;

const tokenVariable = "CERTBOUND_PROBE_TOKEN";

/**
 * Probes an API with forged certificate headers and writes a report. Resolves to the exit code.
 *
 * 0: no header was believed. 1: at least one was. 2: inconclusive: wrong options, the API cannot be reached, or its
 * responses without forged headers allow no comparison. The output contains no token and no certificate.
 */
export async function probe(url: string, options: ProbeOptions, host: ProgramHost): Promise<number> {
  try {
    const result = await runProbe(await readOptions(url, options, host.env));
    const shown = targetOf(url, options.path).href;
    host.stdout.write(
      options.json === true ? `${JSON.stringify({ url: shown, ...result })}\n` : writeReport(shown, result),
    );
    return exitCodes[result.verdict];
  } catch (error) {
    if (!(error instanceof Misused)) throw error;
    host.stderr.write(`certbound: ${error.message}\n`);
    return misused;
  }
}

async function readOptions(url: string, options: ProbeOptions, env: ProgramHost["env"]): Promise<Probe> {
  const target = targetOf(url, options.path);
  const tls = target.protocol === "https:";
  const { control, header: headers } = options;
  if (control && options.key === undefined) {
    throw new Misused(
      "--key is missing: without the certificate's key the probe cannot verify that the token gives access to the API, " +
        "and a refusal proves nothing. Use --no-control to skip this.",
    );
  }
  if (!control && options.key !== undefined) throw new Misused("--key and --no-control exclude each other.");
  if (!tls && options.key !== undefined) {
    throw new Misused("--key has no use over plain HTTP, which has no client certificates: use --no-control.");
  }
  if (!tls && options.stranger !== undefined) throw new Misused("--stranger has no use over plain HTTP.");
  if (!headers.every((name) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name))) {
    throw new Misused("--header must be the name of a header.");
  }
  const certificate = await readCertificate(options.certificate);
  const owner = options.key === undefined ? undefined : await readOwner(certificate, options.key);
  return {
    endpoint: await readEndpoint(target, options),
    authority: target.host,
    target: `${target.pathname}${target.search}`,
    token: await readToken(options.tokenFile, env),
    certificate: certificate.raw,
    owner,
    stranger: tls ? await strangerOf(options.stranger, env["PATH"], certificate) : undefined,
    headers,
  };
}

function targetOf(given: string, path: string | undefined): URL {
  const url = URL.parse(given);
  if (url === null || !["https:", "http:"].includes(url.protocol)) throw new Misused("the URL must be an https URL.");
  if (url.username !== "" || url.password !== "") throw new Misused("the URL must have no user name and no password.");
  // On the loopback a front end forwards requests with tokens to the API.
  if (url.protocol === "http:" && !isLoopback(url.hostname)) {
    throw new Misused("the URL must be an https URL: tokens are sent over plain HTTP to the loopback only.");
  }
  url.hash = "";
  if (path === undefined) return url;
  const target = URL.parse(path, url.origin);
  // The parsed URL is checked, too, because the parser reads "/\" as "//" and ignores a tab in between.
  if (!/^\/(?!\/)/.test(path) || target?.origin !== url.origin) throw new Misused('--path must start with one "/".');
  return target;
}

async function readEndpoint(target: URL, { ca, timeout }: ProbeOptions): Promise<ProbedAddress> {
  const milliseconds = Number(timeout);
  if (!/^\d+$/.test(timeout) || milliseconds < 1 || milliseconds > 600_000) {
    throw new Misused("--timeout must be milliseconds from 1 to 600000.");
  }
  const tls = target.protocol === "https:";
  const pem = ca === undefined ? undefined : await read("--ca", ca);
  if (pem !== undefined) certificatesOf("--ca", pem);
  const host = target.hostname.replace(/^\[(.*)\]$/, "$1");
  return { tls, host, port: Number(target.port) || (tls ? 443 : 80), ca: pem, timeout: milliseconds };
}

async function readToken(file: string | undefined, env: ProgramHost["env"]): Promise<string> {
  const token = (file === undefined ? env[tokenVariable] : await read("--token-file", file))?.trim();
  if (token === undefined || token === "") {
    throw new Misused(
      `a token is missing: the probe needs one that is bound to the certificate. Give it in --token-file or ${tokenVariable}.`,
    );
  }
  if (!/^[A-Za-z0-9._~+/-]+=*$/.test(token)) throw new Misused("the token is malformed (RFC 6750 §2.1).");
  return token;
}

/** Reads the first certificate of a file. */
async function readCertificate(file: string): Promise<X509Certificate> {
  const [{ raw }] = certificatesOf("--certificate", await read("--certificate", file));
  return new X509Certificate(raw);
}

function certificatesOf(option: string, pem: string): ReturnType<typeof readCertificates> {
  try {
    return readCertificates(pem);
  } catch (error) {
    if (!(error instanceof MalformedCertificate)) throw error;
    if (error.reason === "private_key") throw new Misused(`${option} must have no private key in it.`);
    throw new Misused(`${option} must be a file with a certificate, as PEM: ${error.clause}.`);
  }
}

async function readOwner(certificate: X509Certificate, file: string): Promise<Identity> {
  const key = await read("--key", file);
  try {
    if (certificate.checkPrivateKey(createPrivateKey(key))) return { cert: certificate.toString(), key };
  } catch {
    // Reported below: not a key, or one that needs a passphrase.
  }
  throw new Misused("--key must be the private key of --certificate, as PEM.");
}

async function strangerOf(
  file: string | undefined,
  path: string | undefined,
  certificate: X509Certificate,
): Promise<Stranger> {
  const stranger = file === undefined ? await madeStranger(path) : givenStranger(await read("--stranger", file));
  if (!certificate.raw.equals(stranger.der)) return stranger;
  throw new Misused("--stranger must be another certificate than --certificate.");
}

async function madeStranger(path: string | undefined): Promise<Stranger> {
  try {
    return await makeStranger(path);
  } catch {
    throw new Misused("openssl cannot be run to make another certificate: install it, or give one with --stranger.");
  }
}

function givenStranger(pem: string): Stranger {
  try {
    const stranger = readStranger(pem);
    if (new X509Certificate(stranger.der).checkPrivateKey(createPrivateKey(pem))) return stranger;
  } catch {
    // Reported below.
  }
  throw new Misused("--stranger must be a file with a certificate and its private key, as PEM.");
}

async function read(option: string, file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch {
    throw new Misused(`${option} names a file that cannot be read.`);
  }
}

/** Maximum number of lines for one dialect; the rest is counted. */
const mostShown = 4;

/**
 * Writes the result of a probe for humans: a line for each dialect, and the verdict.
 *
 * @example writeReport("https://api.example.com/", result)
 */
function writeReport(
  url: string,
  { comparisons, controlled, dialects, requests, verdict, reason }: ProbeResult,
): string {
  const width = Math.max(...comparisons.map(({ asked }) => asked.length), ...dialects.map(({ name }) => name.length));
  const lines = [
    `certbound probe of ${url}`,
    "",
    "The token, and no forged header:",
    ...comparisons.map(({ asked, answer }) => `  ${asked.padEnd(width)}  ${answer}`),
  ];
  const silent = comparisons.map(({ answer }) => answer).filter((answer) => answer.startsWith("no answer"));
  if (dialects.length > 0 && silent.some((answer) => answer.includes("ALERT"))) {
    lines.push("  (Where TLS refused the connection above, no forged header was tried.)");
  }
  if (dialects.length > 0 && silent.some((answer) => !answer.includes("ALERT"))) {
    lines.push("  (Where the connection ended without an answer above, ending again counts as refused.)");
  }
  if (!controlled)
    lines.push("  (It was not verified that the token gives access to the API with its certificate: --no-control.)");
  if (dialects.length > 0) lines.push("", "The token, and the certificate in a forged header:");
  for (const { name, tried, believed, unclear } of dialects) {
    const word = believed.length > 0 ? "BELIEVED" : unclear.length > 0 ? "unclear" : "not believed";
    lines.push(`  ${name.padEnd(width)}  ${word} (${tried} tried)`);
    const shown = [...believed, ...unclear];
    lines.push(...shown.slice(0, mostShown).map((said) => `      ${said}`));
    if (shown.length > mostShown) lines.push(`      and ${shown.length - mostShown} more`);
  }
  lines.push("", `${verdicts[verdict]}${reason === undefined ? "" : `: ${reason}`}. Requests sent: ${requests}.`, "");
  return lines.join("\n");
}

const verdicts: Readonly<Record<ProbeResult["verdict"], string>> = {
  "not believed": "No forged header was believed",
  believed: "FORGED HEADERS ARE BELIEVED: anyone with a token and the public certificate has access",
  inconclusive: "Inconclusive",
};
