/**
 * The demo: three real processes, real TLS handshakes, and a stolen token that is worth nothing.
 *
 *   npm run demo             plays the story; exit code 0 only if every step went as told
 *   npm run demo -- --stay   keeps the servers up afterwards and prints curl lines to play with
 */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeCertificates, thumbprintByOpenssl } from "./certificates.ts";
import { curlLines } from "./curl-lines.ts";
import { createNarrator } from "./narrator.ts";
import { startServers } from "./servers.ts";
import { tellStory } from "./story.ts";

const stay = process.argv.includes("--stay");
const folder = await mkdtemp(join(tmpdir(), "certbound-demo-"));
let failures = 1;
try {
  console.log("Making a small CA, and certificates for the servers and two clients …");
  const certificates = await makeCertificates(folder);
  const thumbprints = {
    clientA: await thumbprintByOpenssl(certificates.clientA),
    clientB: await thumbprintByOpenssl(certificates.clientB),
  };
  console.log("Starting the backend, an authorization server and an API …");
  const servers = await startServers(folder, certificates);
  try {
    const narrator = createNarrator(console.log, new Set(Object.values(thumbprints)));
    await tellStory({ servers, certificates, thumbprints, narrator });
    failures = narrator.failures;
    console.log(failures === 0 ? "\nEvery step went as told." : `\n${failures} steps did not go as told.`);
    if (stay) {
      console.log(curlLines(servers, certificates));
      await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
    }
  } finally {
    await servers.stop();
  }
} finally {
  await rm(folder, { recursive: true });
}
process.exitCode = failures === 0 ? 0 : 1;
