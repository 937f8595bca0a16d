/** The result codes of `auth/token`, `auth/token/issue` and `auth/token/fail`, each with its sentence for people. */
export const tokenSentences = {
  A047201: "The token API was called without parameters.",
  A047202: "The parameters of the token request are not well-formed.",
  A047301: "The token request has no parameters.",
  A047302: "The client has not declared this grant type.",
  A049301: "The token request does not contain grant_type.",
  A049303: "The token request contains grant_type more than once.",
  A049305: "The grant type is not supported.",
  A052001: "The token request (grant_type=client_credentials) was processed successfully.",
  A052301: "A public client cannot use the client credentials grant.",
  A052302: "The token request contains scope more than once.",
  A052303: "None of the requested scopes can be granted.",
  A251306: "A resource of the request is not one of the service's.",
  A251307: "A resource of the request is not an absolute URI.",
  A251308: "A resource of the request has a fragment.",
} as const;
