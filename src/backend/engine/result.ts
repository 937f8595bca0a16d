/**
 * The result codes that the engine answers with, each with its sentence for people (Authlete's API).
 *
 * The code tells the API caller exactly what happened; what the OAuth client is told is decided elsewhere and says less.
 */
const sentences = {
  // auth/token
  A047201: "The token API was called without parameters.",
  A047202: "The parameters of the token request are not well-formed.",
  A047301: "The token request has no parameters.",
  A047302: "The client has not declared this grant type.",
  A048307: "The client is locked.",
  A049301: "The token request does not contain grant_type.",
  A049303: "The token request contains grant_type more than once.",
  A049305: "The grant type is not supported.",
  A052001: "The token request (grant_type=client_credentials) was processed successfully.",
  A052301: "A public client cannot use the client credentials grant.",
  A052302: "The token request contains scope more than once.",
  A052303: "None of the requested scopes can be granted.",
  A157301: "The client is confidential and has no method of authentication.",
  A157303: "A public client sent a secret.",
  A157304: "The client secret is missing.",
  A157305: "The client secret is wrong.",
  A157327: "The client certificate is missing.",
  A157328: "The client certificate cannot be read.",
  A157333: "The client certificate is none of those that the client registered.",
  A157335: "There is no trust anchor for the client certificate.",
  A157339: "The certificate path is not valid.",
  A157343: "The subject of the client certificate is not the registered one.",
  A157346: "No dNSName of the client certificate is the registered one.",
  A157347: "No URI of the client certificate is the registered one.",
  A157348: "No iPAddress of the client certificate is the registered one.",
  A157349: "No rfc822Name of the client certificate is the registered one.",
  A157357: "The client credentials are not where the client's authentication method has them.",
  A158301: "The request carries more than one client secret.",
  A244301: "The request contains client_id more than once.",
  A244305: "Nothing in the request identifies the client.",
  A244306: "The client is not known.",
  A244307: "The client is named by its alias, which is not enabled.",
  A244308: "The client's tokens are bound to its certificate, and the request came without one.",
  A244309: "The client certificate cannot be read.",
  A251306: "A resource of the request is not one of the service's.",
  A251307: "A resource of the request is not an absolute URI.",
  A251308: "A resource of the request has a fragment.",
  // auth/introspection
  A056001: "The access token is valid.",
  A057301: "The introspection request has no token.",
  A057302: "The access token is not in force.",
  A064301: "The access token has no scopes.",
  A064302: "The access token does not cover the required scopes.",
  A064303: "The access token is not meant for the required resources.",
  A065303: "The access token has expired.",
  A065304: "The access token is bound to a certificate, and none was presented.",
  A065305: "The access token is bound to another certificate than the one presented.",
  A065306: "The binding of the access token cannot be checked.",
  A065307: "The presented certificate cannot be read.",
  A066301: "The access token has no subject.",
  A066302: "The access token has another subject.",
  A097303: "The client of the access token is locked.",
  // auth/introspection/standard
  A145001: "Introspection was performed successfully",
  A145201: "The introspection API was called without parameters.",
  A145202: "The parameters of the introspection request are not well-formed.",
  A145301: "The introspection request has no parameters.",
  A145302: "The introspection request does not contain token.",
  A404302: "A signed introspection answer is not supported.",
  // auth/revocation
  A113001: "The token is not in force (any more).",
  A113201: "The revocation API was called without parameters.",
  A113202: "The parameters of the revocation request are not well-formed.",
  A113301: "The revocation request has no parameters.",
  A115301: "The revocation request does not contain token.",
  A115303: "The revocation request contains token more than once.",
  A116301: "The token was issued to another client.",
  // API callers
  A003201: "The service is not known.",
  A003204: "The credentials of the service are wrong.",
  A458101: "The service access token is not accepted for this service.",
} as const;

export type ResultCode = keyof typeof sentences;

/** `detail` continues the sentence, for the API caller's operator: never a token, a secret or a certificate. */
export function result(code: ResultCode, detail?: string): { resultCode: string; resultMessage: string } {
  return { resultCode: code, resultMessage: `[${code}] ${sentenceOf(code, detail)}` };
}

/** The sentence of a code, without the bracketed code. */
export function sentenceOf(code: ResultCode, detail?: string): string {
  const sentence = sentences[code];
  return detail === undefined ? sentence : `${sentence.replace(/\.$/, "")} (${detail}).`;
}
