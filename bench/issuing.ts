import { connections, type Bench } from "./bench.ts";
import { certificateTokenCalls, secretTokenCalls } from "./calls.ts";
import { compare } from "./measurement/compare.ts";
import { printComparison } from "./measurement/print.ts";
import { startServer } from "./measurement/server.ts";
import { peerCertificateCall, peerSecretCall, startPeer } from "./peer.ts";
import { contender, openStage } from "./stage.ts";

const bareSecret = "node:http, sizes of a request with a secret";
const bareCertificate = "node:http, sizes of one with a certificate";
const issued = '"resultCode":"A052001"';
const issuedByPeer = '"access_token":';

/** Durable issuing, compared with bare node:http and with a peer that keeps its tokens in memory. */
export const issuing: Bench = async ({ load, deployment, timing, profileInto }) => {
  const stage = openStage();
  try {
    const backend = await stage.add(startServer("backend", deployment, profileInto));
    const peer = await stage.add(startPeer(deployment));
    const secret = secretTokenCalls();
    const certificate = certificateTokenCalls(deployment);
    const ofPeer = deployment.clients.map(peerCertificateCall);
    const rows = await compare(
      load,
      [
        contender(bareSecret, await stage.addBareFor(backend, secret), secret, issued, bareSecret),
        contender("auth/token, client_secret_post", backend, secret, issued, bareSecret),
        contender("oidc-provider, client_secret_post, in memory", peer, [peerSecretCall], issuedByPeer, bareSecret),
        contender(bareCertificate, await stage.addBareFor(backend, certificate), certificate, issued, bareCertificate),
        contender("auth/token, self_signed_tls_client_auth", backend, certificate, issued, bareCertificate),
        contender("oidc-provider, self_signed_tls_client_auth", peer, ofPeer, issuedByPeer, bareCertificate),
      ],
      timing,
    );
    printComparison(`Issuing, every token on disk before its answer, ${connections} connections`, rows);
    for (const { name, counts } of rows) {
      const { commits = 0, jobs = 0 } = counts;
      if (commits > 0)
        console.log(`  ${name}: ${jobs} tokens in ${commits} commits, ${(jobs / commits).toFixed(1)} each`);
    }
  } finally {
    await stage.stop();
  }
};
