import { readFileSync } from "node:fs";

/** The version of the package; its manifest is as far from here in the checkout as in the tarball. */
export const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

/** What this backend can do, by the names that OAuth has for it. */
export const features = [
  "client_credentials",
  "client_secret_basic",
  "client_secret_post",
  "tls_client_auth",
  "self_signed_tls_client_auth",
  "tls_client_certificate_bound_access_tokens",
  "introspection",
  "revocation",
] as const;
