import { readFile } from "node:fs/promises";
import test from "ava";
import { type CertificateEncoding, encodeCertificate, dialects } from "../../src/cli/probe/dialects.ts";
import { runHere, startCertbound } from "./run-certbound.ts";

const { der_base64: base64, vectors } = JSON.parse(
  await readFile(new URL("../vectors/certificate-headers.json", import.meta.url), "utf8"),
) as { der_base64: string; vectors: Record<string, { header: string; value: string }> };

const der = Buffer.from(base64, "base64");

for (const [vector, dialect, encoding] of [
  ["rfc9440", "rfc9440", "byte sequence"],
  ["nginx_escaped", "nginx", "percent-encoded PEM"],
  ["apache_s", "apache", "PEM, blanks for newlines"],
  ["apache_escape_fn", "apache", "percent-encoded PEM, + plain"],
  ["haproxy", "haproxy", "base64"],
  ["haproxy_quoted", "haproxy", "quoted base64"],
  ["cloudfoundry", "gorouter", "base64"],
  ["traefik_old", "traefik", "percent-encoded base64"],
  ["aws_leaf", "aws-alb", "percent-encoded PEM, + = / plain"],
  ["azure_app", "azure", "base64"],
  ["cloudflare", "cloudflare", "base64"],
  ["cloudflare_sha", "cloudflare", "SHA-256, hexadecimal"],
  ["cloudfront", "cloudfront", "percent-encoded PEM"],
  ["gcp_leaf", "gcp", "byte sequence"],
  ["wso2_oneline", "wso2", "PEM without newlines"],
  ["go_queryescape", "azure-application-gateway", "form-encoded PEM"],
  ["kong_url", "kong", "percent-encoded PEM"],
  ["caddy_der", "caddy", "base64"],
] as const satisfies readonly (readonly [string, string, CertificateEncoding])[]) {
  test(`the forged ${dialect} header is what the front end writes: ${vector}`, (t) => {
    const { header, value } = vectors[vector] ?? { header: "", value: "" };
    t.is(encodeCertificate(der, encoding), value);
    const forgeries = dialects.find(({ name }) => name === dialect)?.forgeries ?? [];
    t.true(forgeries.some((one) => one.encoding === encoding && one.header.toLowerCase() === header.toLowerCase()));
  });
}

test("a forged thumbprint header has the certificate's SHA-256", (t) => {
  const { value } = vectors["gcp_fp"] ?? { value: "" };
  // Google Cloud leaves the padding out; a reader takes both.
  t.is(encodeCertificate(der, "SHA-256, base64").replace(/=+$/, ""), value);
  const hash = /Hash=([0-9a-f]{64})/.exec(vectors["envoy_xfcc"]?.value ?? "")?.[1] ?? "";
  t.true(encodeCertificate(der, "XFCC with Hash").includes(`Hash=${hash}`));
  const cert = /Cert="([^"]+)"/.exec(vectors["envoy_xfcc"]?.value ?? "")?.[1] ?? "";
  t.true(encodeCertificate(der, "XFCC with Hash, Cert and Chain").includes(`Cert="${cert}"`));
});

test("--help lists the commands, with an example", async (t) => {
  const { code, stdout, stderr } = await runHere(["--help"]);
  t.is(code, 0);
  t.is(stderr, "");
  t.regex(stdout, /^Usage: certbound /);
  t.regex(stdout, /^ {2}serve .*Run the backend/m);
  t.regex(stdout, /\$ certbound serve --config backend\.yaml/);
});

test("serve --help explains each option, with an example, and the exit codes", async (t) => {
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

test("an unknown command line ends with 2, says why and where to find help", async (t) => {
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
