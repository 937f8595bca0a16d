import type { Certificates, Identity } from "./certificates.ts";
import type { Servers } from "./servers.ts";

/** What to try while the servers stay up: an address for a browser, and commands to copy into another terminal. */
export function curlLines(servers: Servers, { authority, clientA, clientB }: Certificates, website: string): string {
  const as = ({ certificate, key }: Identity): string => `--cert ${certificate} --key ${key}`;
  const curl = `curl -s --cacert ${authority}`;
  return `
The servers stay up until Ctrl-C.

Sign in with a browser: ${website}/
  The name is alice, the password wonderland. The browser warns once, because it does not know the demo's own CA.

In another terminal:

# a token for client A, kept in a variable
TOKEN=$(${curl} ${as(clientA)} ${servers.authorizationServer.url}/token \\
  -d grant_type=client_credentials -d client_id=${servers.clientA} | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')

# the API, with the right certificate, another one, and none
${curl} -i ${as(clientA)} -H "Authorization: Bearer $TOKEN" ${servers.api.url}/hello
${curl} -i ${as(clientB)} -H "Authorization: Bearer $TOKEN" ${servers.api.url}/hello
${curl} -i -H "Authorization: Bearer $TOKEN" ${servers.api.url}/hello

# what the backend knows of it
${curl} ${servers.backend.url}/api/${servers.serviceId}/auth/introspection/standard \\
  -H "Authorization: Bearer ${servers.serviceAccessToken}" -H 'Content-Type: application/json' \\
  -d "{\\"parameters\\":\\"token=$TOKEN\\"}"

# end it
${curl} -i ${as(clientA)} ${servers.authorizationServer.url}/revoke -d client_id=${servers.clientA} -d token=$TOKEN
`;
}
