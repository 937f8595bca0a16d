import type { CertificateOfRequest } from "../client-authentication/presented-certificate.ts";
import type { Dependencies } from "../dependencies.ts";
import type { NamedClient } from "../settings/find-client.ts";

type Noting = Pick<Dependencies, "note">;

/** Notes a client that the request names, be it authenticated or not. */
export function noteClient({ note }: Noting, { client: { settings }, clientIdAliasUsed }: NamedClient): void {
  if (note === undefined) return;
  const alias = clientIdAliasUsed ? settings.clientIdAlias : undefined;
  note({ clientId: String(settings.clientId), ...(alias !== undefined && { clientIdAlias: alias }) });
}

/** Notes the `client_id` of a request that names an unknown client; the text may be anything. */
export function noteUnknownClient({ note }: Noting, clientId: string | undefined): void {
  if (clientId !== undefined) note?.({ clientId });
}

/** Notes the certificate that came with the request. */
export function noteCertificate({ note }: Noting, certificate: CertificateOfRequest | undefined): void {
  if (certificate === undefined) return;
  note?.({ thumbprint: "x5tS256" in certificate ? certificate.x5tS256 : "unreadable" });
}

/** Notes the token's client and the certificate that the token is bound to. */
export function noteToken(
  { note }: Noting,
  known:
    | {
        readonly token: { readonly clientIdAliasUsed: boolean; readonly x5tS256: string | undefined };
        readonly client: NamedClient["client"];
      }
    | undefined,
): void {
  if (note === undefined || known === undefined) return;
  const { token, client } = known;
  noteClient({ note }, { client, clientIdAliasUsed: token.clientIdAliasUsed });
  if (token.x5tS256 !== undefined) note({ boundTo: token.x5tS256 });
}
