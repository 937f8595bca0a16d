import type { CertificateSource } from "../certificate-source.ts";
import { readFlattenedPem, readPercentEncodedPem } from "../certificate-encodings.ts";
import { createHeaderSource, givenOptions, type NamedHeaderSourceOptions, readerFor } from "../header-source.ts";

/** The options of `apache`. */
export interface ApacheOptions extends NamedHeaderSourceOptions {
  /** `blanks` (default): `"%{SSL_CLIENT_CERT}s"`. `percent-encoded`: `"expr=%{escape:%{SSL_CLIENT_CERT}}"`. */
  readonly encoding?: "blanks" | "percent-encoded";
}

const readers = { blanks: readFlattenedPem, "percent-encoded": readPercentEncodedPem };

/**
 * Apache httpd: PEM with spaces instead of line ends, `RequestHeader set X-SSL-Cert "%{SSL_CLIENT_CERT}s"`, in any
 * header.
 *
 * Without a certificate Apache writes `(null)`, which is read as no certificate.
 *
 * @example apache({ from: trustedProxies(["127.0.0.1"]), header: "X-SSL-Cert" })
 */
export function apache(options: ApacheOptions): CertificateSource {
  const read = readerFor(readers, givenOptions(options).encoding ?? "blanks");
  return createHeaderSource(options, { read, options: ["encoding"] });
}
