import { X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { readFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import test from "ava";
import { dialects } from "../../src/cli/probe/dialects.ts";
import * as certbound from "../../src/resource-server/index.ts";
import {
  apiThatReads,
  believedOf,
  believing,
  bySocket,
  ofBase64,
  ofClientCert,
  probeOf,
  type Reader,
  sent,
  startProbed,
  thumbprint,
  valuesOf,
  victim,
} from "./probed-api.ts";

// What a careless API does, in the words of its own code: nothing of the probe's.
const ofPem = (pem: string): string => thumbprint(new X509Certificate(pem).raw);
const ofHex = (text: string): string => Buffer.from(text, "hex").toString("base64url");
const ofSpaced = (text: string): string => ofBase64(text.replace(/-----(BEGIN|END) CERTIFICATE-----/g, ""));
const ofForm = (text: string): string => ofPem(new URLSearchParams(`pem=${text}`).get("pem") ?? "");

const careless: readonly [dialect: string, header: string, read: (value: string) => string, member?: string][] = [
  ["rfc9440", "client-cert", (value) => ofBase64(value.replaceAll(":", ""))],
  ["nginx", "x-ssl-cert", (value) => ofPem(decodeURIComponent(value))],
  ["nginx", "ssl-client-cert", (value) => ofPem(decodeURIComponent(value))],
  ["apache", "x-ssl-client-cert", ofSpaced],
  ["apache", "x-client-certificate", (value) => ofPem(decodeURIComponent(value))],
  ["haproxy", "x-ssl-client-der", ofBase64],
  ["haproxy", "x-ssl-client-sha256", ofHex],
  ["envoy", "x-forwarded-client-cert", (value) => ofHex(/Hash=([0-9a-f]+)/.exec(value)?.[1] ?? ""), "Hash"],
  [
    "envoy",
    "x-forwarded-client-cert",
    (value) => ofPem(decodeURIComponent(/Cert="([^"]+)"/.exec(value)?.[1] ?? "")),
    "Cert",
  ],
  ["gorouter", "x-forwarded-client-cert", ofBase64],
  ["traefik", "x-forwarded-tls-client-cert", ofBase64],
  ["aws-alb", "x-amzn-mtls-clientcert-leaf", (value) => ofPem(decodeURIComponent(value))],
  ["aws-alb", "x-amzn-mtls-clientcert", (value) => ofPem(decodeURIComponent(value))],
  ["cloudfront", "cloudfront-viewer-cert-pem", (value) => ofPem(decodeURIComponent(value))],
  ["cloudfront", "cloudfront-viewer-cert-sha256", ofHex],
  ["gcp", "x-client-cert-leaf", (value) => ofBase64(value.replaceAll(":", ""))],
  ["gcp", "x-client-cert-sha256-fingerprint", (value) => Buffer.from(value, "base64").toString("base64url")],
  ["azure", "x-arr-clientcert", ofBase64],
  ["azure-application-gateway", "x-arr-clientcert", ofForm],
  ["asp-net", "x-client-cert", ofBase64],
  ["cloudflare", "cf-client-cert-der-base64", ofBase64],
  ["cloudflare", "cf-client-cert-sha256", ofHex],
  ["caddy", "x-client-fingerprint", ofHex],
  ["caddy", "x-client-cert", ofBase64],
  ["kong", "x-client-cert", (value) => ofPem(decodeURIComponent(value))],
  ["wso2", "x-wso2-mtls-cert", ofSpaced],
  ["authlete", "x-ssl-cert", (value) => ofPem(decodeURIComponent(value))],
];

test("every dialect has an API that believes in it below", (t) => {
  t.deepEqual(
    dialects.map(({ name }) => name).filter((name) => !careless.some(([dialect]) => dialect === name)),
    [],
  );
});

for (const [dialect, header, read, member = ""] of careless) {
  test(`an API that believes ${header} ${member} from anybody is found out (${dialect})`, async (t) => {
    const { url, args } = await startProbed(t, apiThatReads(believing(header, read)), { tls: false });
    const { code, report } = await probeOf(url, args);
    t.is(code, 1);
    t.is(report.verdict, "believed");
    const found = believedOf(report);
    t.true(found.includes(dialect), found.join());
    // Others at most that write the same header.
    for (const name of found) {
      const headers = dialects.find((one) => one.name === name)?.forgeries.map((one) => one.header.toLowerCase()) ?? [];
      t.true(headers.includes(header), name);
    }
  });
}

// The probe stands where these believe their proxy to be; what their readers take, it must know how to write.
const from = certbound.trustedProxies(["127.0.0.1"]);

const sources: Readonly<Record<string, certbound.CertificateSource>> = {
  rfc9440: certbound.rfc9440({ from }),
  nginx: certbound.nginx({ from, header: "X-SSL-Cert", verify: { header: "X-SSL-Verify", value: "SUCCESS" } }),
  apache: certbound.apache({ from, header: "X-SSL-Cert" }),
  haproxy: certbound.haproxy({ from, header: "X-SSL-Client-Cert" }),
  "haproxy, quoted": certbound.haproxy({ from, header: "X-SSL-Client-Cert", encoding: "quoted-base64" }),
  "haproxy, SHA-256": certbound.haproxySha256({ from, header: "X-SSL-Client-SHA256" }),
  "rfc9440, verified": certbound.rfc9440({
    from,
    verify: [
      { header: "X-Cert-Verified", value: "true" },
      { header: "X-Cert-Revoked", value: "false" },
    ],
  }),
  envoy: certbound.envoy({ from }),
  "envoy, the hop before": certbound.envoy({ from, element: "second-to-last" }),
  gorouter: certbound.gorouter({ from }),
  traefik: certbound.traefik({ from }),
  "traefik, percent-encoded": certbound.traefik({ from, encoding: "percent-encoded" }),
  "aws-alb": certbound.awsAlb({ from }),
  "aws-alb, passthrough": certbound.awsAlbPassthrough({ from }),
  cloudfront: certbound.cloudfront({ from, present: { header: "CloudFront-Viewer-Cert-Present", value: "1" } }),
  "cloudfront, SHA-256": certbound.cloudfrontSha256({ from }),
  gcp: certbound.gcp({
    from,
    header: "X-Client-Cert-Leaf",
    present: { header: "X-Client-Cert-Present", value: "true" },
  }),
  "gcp, verified": certbound.gcp({
    from,
    header: "X-Client-Cert-Leaf",
    verify: { header: "X-Client-Cert-Verified", value: "true" },
  }),
  "gcp, fingerprint": certbound.gcpFingerprint({ from, header: "X-Client-Cert-SHA256-Fingerprint" }),
  azure: certbound.azure({ from }),
  "azure-application-gateway": certbound.azureApplicationGateway({
    from,
    header: "X-Client-Certificate",
    encoding: "percent-encoded",
  }),
  "asp-net": certbound.aspNet({ from }),
  cloudflare: certbound.cloudflare({ from }),
  "cloudflare, SHA-256": certbound.cloudflareSha256({ from }),
  caddy: certbound.caddy({ from }),
  "caddy, fingerprint": certbound.caddyFingerprint({ from, header: "X-Client-Cert-Sha256" }),
  kong: certbound.kong({ from }),
  "kong, base64": certbound.kong({ from, encoding: "base64" }),
  wso2: certbound.wso2({ from }),
  "wso2, percent-encoded": certbound.wso2({ from, encoding: "percent-encoded" }),
};

for (const [name, source] of Object.entries(sources)) {
  test(`an API that trusts everybody on the machine is detected: ${name}`, async (t) => {
    const read: Reader = (request) => {
      const certificate = source(request);
      return certificate !== undefined && "x5tS256" in certificate ? certificate.x5tS256 : undefined;
    };
    const { url, args } = await startProbed(t, apiThatReads(read), { tls: false });
    const { code, report } = await probeOf(url, args);
    t.is(code, 1);
    t.true(believedOf(report).includes(name.replace(/,.*/, "")));
  });
}

const spelt: readonly [string, Reader][] = [
  ["lower case", (request) => ofClientCert(sent(request).find(([name]) => name === "client-cert")?.[1])],
  ["upper case", (request) => ofClientCert(sent(request).find(([name]) => name === "CLIENT-CERT")?.[1])],
  ["underscores", (request) => ofClientCert(request.headers["client_cert"] as string | undefined)],
  ["twice, forged first", (request) => bothOf(request)?.[0]],
  ["twice, forged last", (request) => bothOf(request)?.[1]],
];

function bothOf(request: IncomingMessage): string[] | undefined {
  const values = valuesOf(request, "client-cert");
  return values.length === 2 ? values.map(ofClientCert) : undefined;
}

for (const [spelling, read] of spelt) {
  test(`an API that is only deceived by this spelling is found out: ${spelling}`, async (t) => {
    const { url, args } = await startProbed(t, apiThatReads(read), { tls: false });
    const { code, report } = await probeOf(url, args);
    t.is(code, 1);
    t.deepEqual(believedOf(report), ["rfc9440"]);
    const [{ believed } = { believed: [] }] = report.dialects;
    t.true(
      believed.every((said) => said.includes(`; ${spelling};`)),
      believed.join("\n"),
    );
  });
}

test("an API that takes one underscore for a hyphen, where its proxy removes both others, is found out", async (t) => {
  const read: Reader = (request) => {
    const value = request.headers["x-arr_clientcert"];
    return typeof value === "string" ? ofBase64(value) : undefined;
  };
  const { url, args } = await startProbed(t, apiThatReads(read), { tls: false });
  const { code, report } = await probeOf(url, args);
  t.is(code, 1);
  t.deepEqual(believedOf(report), ["azure"]);
});

test("the probe also forges what our documents show beside a certificate's header", async (t) => {
  const pages = ["docs/proxies.md", "examples/proxies/README.md"];
  const texts = await Promise.all(pages.map((page) => readFile(new URL(`../../${page}`, import.meta.url), "utf8")));
  const shown = texts.flatMap((text) => [...text.matchAll(/\{ header: "([^"]+)", value: "([^"]+)" \}/g)]);
  t.true(shown.length >= 5);
  const forged = dialects.flatMap(({ forgeries }) => forgeries.flatMap(({ beside = {} }) => Object.entries(beside)));
  for (const [, header, value] of shown) {
    t.true(
      forged.some(([name, said]) => name === header && said === value),
      `${header}: ${value}`,
    );
  }
});

for (const [spelling, hidden] of [
  ["folded", /^Client-Cert:\r\n[ \t]+:([^\r:]+):\r$/m],
  ["folded into another header", /^X-[A-Za-z-]+: 1\r\n[ \t]+Client-Cert: :([^\r:]+):\r$/m],
  ["blank before the colon", /^Client-Cert : :([^\r:]+):\r$/m],
] as const) {
  test(`a server that accepts invalid HTTP is detected: ${spelling}`, async (t) => {
    const server = createServer((socket) => {
      socket.setEncoding("latin1").on("error", () => undefined);
      let received = "";
      socket.on("data", (chunk: string) => {
        received += chunk;
        if (!received.includes("\r\n\r\n")) return;
        const claimed = hidden.exec(received)?.[1];
        const good = claimed !== undefined && ofBase64(claimed) === victim.x5tS256;
        socket.end(`HTTP/1.1 ${good ? "200 OK" : "401 Unauthorized"}\r\nContent-Length: 0\r\n\r\n`);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.teardown(() => server.close());
    const { folder } = await startProbed(t, apiThatReads(bySocket));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const { code, report } = await probeOf(url, ["--certificate", join(folder, "victim.pem"), "--no-control"]);
    t.is(code, 1);
    const [{ believed } = { believed: [] }] = report.dialects;
    t.is(believed.length, 1);
    t.true(believed[0]?.includes(`; ${spelling};`));
  });
}
