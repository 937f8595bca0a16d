// Runs first, on any installed Node, and reports in one sentence what is missing.
import { spawnSync } from "node:child_process";

const missing = (sentence) => {
  process.stderr.write(`certbound: ${sentence}\n`);
  process.exit(1);
};

const major = Number(process.versions.node.split(".")[0]);
if (major < 24) {
  missing(
    `Node ${process.versions.node} is running, but Node 24 or newer is needed: on x64 glibc Linux run "npm ci" (it brings Node 24 along as an optional dependency), elsewhere install Node 24 yourself.`,
  );
}
const openssl = spawnSync("openssl", ["version"], { encoding: "utf8" });
if (openssl.status !== 0) missing('the "openssl" command is not on PATH; on Debian: apt-get install openssl.');
if (!/^OpenSSL ([3-9]|\d\d)\./.test(openssl.stdout)) {
  missing(`OpenSSL 3.0 or newer is needed, found "${openssl.stdout.trim()}".`);
}
