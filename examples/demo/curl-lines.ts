import type { Certificates, Identity } from "./certificates.ts";
import type { Servers } from "./servers.ts";

/** Commands to copy into another terminal while the servers stay up. */
export function curlLines(servers: Servers, { authority, clientA, clientB }: Certificates): string {
  const as = ({ certificate, key }: Identity): string => `--cert ${certificate} --key ${key}`;
  const curl = `curl -s --cacert ${authority}`;
  return `
The servers stay up until Ctrl-C. In another terminal:

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
