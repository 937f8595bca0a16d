import { readFileSync } from "node:fs";
import { clientAuthenticationMethods, grantTypes } from "../oauth/registered-names.ts";

/** The version of the package; its manifest is as far from here in the checkout as in the tarball. */
export const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

/** What this backend can do, by the names that OAuth has for it. */
export const features = [
  ...grantTypes,
  "pkce_s256",
  ...clientAuthenticationMethods.filter((method) => method !== "none"),
  "tls_client_certificate_bound_access_tokens",
  "jwt_access_tokens",
  "introspection",
  "signed_introspection",
  "revocation",
  "openid",
  "userinfo",
  "discovery",
];
