import { invalidateToken } from "./end-token.ts";
import type { Context } from "../context.ts";
import type { RevocationRequest, RevocationResponse } from "../../../contract/auth-revocation.ts";
import { tokenDigest } from "../../../oauth/token-digest.ts";
import type { Command } from "../../store/command.ts";
import { oauthError } from "../answer/oauth-error.ts";
import { result } from "../answer/result.ts";
import { type Decided, newAttempt, runForService } from "../answer/run-decided.ts";
import {
  type ParameterCodes,
  readClientOfRequest,
  readForwardedForm,
} from "../client-authentication/client-request.ts";
import type { Client, Service } from "../settings/service-and-client.ts";

const codes: ParameterCodes = {
  missing: "A113201",
  empty: "A113301",
  malformed: "A113202",
  repeated: new Map([
    ["token", "A115303"],
    ["client_id", "A244301"],
    ["client_secret", "A158301"],
  ]),
};

/** The one answer for a token that was ended and for one that was not known (RFC 7009 §2.2). */
const done: RevocationResponse = Object.freeze({ ...result("A113001"), action: "OK" });

/** Ends a token of the client that asks (RFC 7009 §2.1); answers only after the end is kept. */
export async function revoke(context: Context, request: RevocationRequest): Promise<RevocationResponse> {
  const { service } = context;
  const read = readForwardedForm(service, request.parameters, codes);
  if ("error" in read) return read.error;
  const once = { endpoint: "revocation_endpoint", attempt: newAttempt(context.random) } as const;
  const gone = () => oauthError(service, "server_error", "A003201");
  return runForService<RevocationResponse>(context, gone, async (current) => {
    const authenticated = await readClientOfRequest(current, request, read.form, once);
    if ("error" in authenticated) return { outcome: authenticated.error };
    const token = read.form.get("token");
    if (token === undefined) return { outcome: oauthError(current.service, "invalid_request", "A115301") };
    return decideRevocation(current, authenticated.client, tokenDigest(token));
  });
}

async function decideRevocation(
  context: Context,
  client: Client,
  digest: Uint8Array,
): Promise<Decided<RevocationResponse>> {
  const { store, clock, random, service } = context;
  const serviceId = service.settings.apiKey;
  // One indexed look-up for each kind of token, whatever the hint says: a wrong hint cannot hide the token (RFC 7009
  // §2.1).
  const accessToken = await store.readAccessToken(serviceId, digest);
  const refreshToken = accessToken === undefined ? await store.readRefreshToken(serviceId, digest) : undefined;
  const token = accessToken ?? refreshToken;
  if (token === undefined) return { outcome: done, ...forUnknown(context, client, digest) };
  if (token.clientId !== client.settings.clientId) return { outcome: ofAnotherClient(service, client) };
  const change = { attempt: newAttempt(random), serviceId, endedAt: clock() };
  // A consumed refresh token still identifies its family, which the client wants to revoke.
  const command: Command =
    refreshToken === undefined
      ? // Of the identifier, whichever form was sent: both forms are one row.
        { name: "revoke-access-token", digest: token.digest, ...change }
      : { name: "end-grant", grantId: refreshToken.grantId, ...change };
  return { outcome: done, command };
}

/**
 * Caches may still contain an unknown token, so its revocation is sent, too. A public client, which anyone can claim to
 * be, must not be able to have a row written for each text that it sends.
 */
function forUnknown(context: Context, client: Client, digest: Uint8Array): { readonly command?: Command } {
  const { service } = context;
  if (client.settings.clientType === "PUBLIC") return {};
  return { command: invalidateToken(context, service.settings.apiKey, [digest]) };
}

/** A client that authenticated gets an error; a public one, which anyone can claim to be, learns nothing. */
function ofAnotherClient(service: Service, client: Client): RevocationResponse {
  return client.settings.clientType === "PUBLIC" ? done : oauthError(service, "invalid_request", "A116301");
}
