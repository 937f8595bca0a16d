import { type DialectName, readDialect, type Tolerances } from "./sources/dialects.ts";
import { readIntrospection, type TokenRecord } from "./sources/introspection-answer.ts";
import { plainCopy } from "./sources/plain-copy.ts";

/**
 * Reads what is said of a token under the names of RFC 7662 §2.2 (`active`, `scope`, `exp`, `aud`, `cnf`, …) as strictly
 * as an introspection answer: for a {@link FactsSource} of your own.
 *
 * `exp`, `iat` and `nbf` are seconds since 1970. The value is copied, the result frozen. Throws `IntrospectionMalformed`,
 * which names the member, and a `TypeError` with a `code` for an unknown dialect.
 *
 * @example readTokenFacts({ active: true, scope: "read", exp: 1900000000, cnf: { "x5t#S256": thumbprint } })
 */
export function readTokenFacts(said: unknown, dialect?: DialectName | Partial<Tolerances>): TokenRecord {
  return readIntrospection(plainCopy("it", said), readDialect(dialect));
}
