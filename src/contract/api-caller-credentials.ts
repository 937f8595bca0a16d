/**
 * Who calls the API, as the Authorization header and the path say: a service's key and secret (v2, Basic), or a
 * service id with a service access token (v3, Bearer).
 */
export type ApiCallerCredentials =
  | { readonly scheme: "basic"; readonly apiKey: string; readonly apiSecret: string }
  | { readonly scheme: "bearer"; readonly serviceId: number; readonly accessToken: string };
