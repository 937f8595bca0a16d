/**
 * The demo: three real processes, real TLS handshakes, and a stolen token that is worthless.
 *
 *   npm run demo             runs the story; exit code 0 only if every step had the expected result
 *   npm run demo -- --stay   keeps the servers running and prints an address to sign in at, and curl lines
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeCertificates, thumbprintByOpenssl } from "./certificates.ts";
import { curlLines } from "./curl-lines.ts";
import { createNarrator } from "./narrator.ts";
import { stopServers } from "./processes.ts";
import { startServers, startWebsite } from "./servers.ts";
import { tellStory } from "./story.ts";

const stay = process.argv.includes("--stay");

/** Rejects when the demo gets a signal to stop, at any step. */
const interrupted = new Promise<never>((_, reject) => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      reject(new Interruption(signal));
    });
  }
});
interrupted.catch(() => undefined);

class Interruption extends Error {}

/** Runs the story and returns how many of its steps had an unexpected result. */
async function play(folder: string): Promise<number> {
  console.log("Making a small CA, and certificates for the servers and two clients …");
  const certificates = await makeCertificates(folder);
  const thumbprints = {
    clientA: await thumbprintByOpenssl(certificates.clientA),
    clientB: await thumbprintByOpenssl(certificates.clientB),
  };
  console.log("Starting the backend, an authorization server and an API …");
  const servers = await startServers(folder, certificates);
  const narrator = createNarrator(console.log, new Set(Object.values(thumbprints)));
  await tellStory({ servers, certificates, thumbprints, narrator });
  const { failures } = narrator;
  console.log(failures === 0 ? "\nEvery step went as told." : `\n${failures} steps did not go as told.`);
  if (stay) {
    console.log(curlLines(servers, certificates, await startWebsite(servers, certificates)));
    await interrupted.catch(() => undefined);
  }
  return failures;
}

const folder = await mkdtemp(join(tmpdir(), "certbound-demo-"));
const playing = play(folder);
playing.catch(() => undefined);
try {
  process.exitCode = (await (stay ? playing : Promise.race([playing, interrupted]))) === 0 ? 0 : 1;
} catch (error) {
  if (!(error instanceof Interruption)) throw error;
  process.exitCode = 130;
} finally {
  await stopServers();
  // The running step ends with the servers and prints no more.
  await playing.catch(() => undefined);
  await rm(folder, { recursive: true, force: true });
}
