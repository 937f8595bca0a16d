import { readFileSync } from "node:fs";

/** The version of the package; its manifest is as far from here in the checkout as in the tarball. */
export const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

/** What this backend can do, by the names that OAuth has for it. */
export const features = [
  "authorization_code",
  "refresh_token",
  "client_credentials",
  "password",
  "pkce_s256",
  "client_secret_basic",
  "client_secret_post",
  "client_secret_jwt",
  "private_key_jwt",
  "tls_client_auth",
  "self_signed_tls_client_auth",
  "tls_client_certificate_bound_access_tokens",
  "jwt_access_tokens",
  "introspection",
  "signed_introspection",
  "revocation",
  "openid",
  "userinfo",
  "discovery",
] as const;
