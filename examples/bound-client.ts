/**
 * A client of a protected API: it presents its certificate and gets the tokens that are bound to it.
 *
 *   ISSUER=https://as.example.com API_URL=https://api.example.com CLIENT_ID=4711 \
 *   CLIENT_CERT=client.pem CLIENT_KEY=client-key.pem [CA=ca.pem] \
 *   npm run example -- examples/bound-client.ts
 *
 * Without metadata, set TOKEN_ENDPOINT instead of ISSUER. Each line on standard input makes one call. SIGHUP reads
 * certificate and key again.
 */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import {
  AuthorizationServerUnavailable,
  type BoundClientOptions,
  createBoundClient,
  TokenRequestRefused,
} from "certbound/bound-client";

const setting = (name: string): string => {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`The environment variable ${name} is missing.`);
  return value;
};
const { CA: anchors, TOKEN_ENDPOINT: tokenEndpoint } = process.env;
const readPair = () => ({
  certificate: readFileSync(setting("CLIENT_CERT")),
  key: readFileSync(setting("CLIENT_KEY")),
});

const api = new URL(setting("API_URL"));
const options: BoundClientOptions = {
  ...readPair(),
  ...(anchors !== undefined && { ca: readFileSync(anchors, "utf8") }),
  clientId: setting("CLIENT_ID"),
  authorizationServer: tokenEndpoint === undefined ? { issuer: setting("ISSUER") } : { tokenEndpoint },
  scope: "read",
  resourceServers: [api.origin],
};
const client = createBoundClient(options);

process.on("SIGHUP", () => {
  try {
    client.rotate(readPair());
    console.log(JSON.stringify({ rotated: client.x5tS256 }));
  } catch (error) {
    // Keep the old pair: perhaps one of the two files is not written yet.
    console.error(error instanceof Error ? error.message : error);
  }
});

console.log(JSON.stringify({ presenting: client.x5tS256 }));
for await (const path of createInterface({ input: process.stdin })) {
  try {
    const answer: unknown = await client.got(new URL(path, api)).json();
    console.log(JSON.stringify({ answer }));
  } catch (error) {
    if (error instanceof TokenRequestRefused) console.error(`No token: ${error.code}.`);
    else if (error instanceof AuthorizationServerUnavailable) console.error(`No token for now: ${error.code}.`);
    else console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
await client.close();
