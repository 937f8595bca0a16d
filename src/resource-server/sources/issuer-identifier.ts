import { endpointDefect } from "../../api-client/endpoint-url.ts";
import { optionError } from "../../options/option-error.ts";

/**
 * Checks the option `issuer`. Where its metadata is to be fetched it must be a URL to fetch it from, and it has neither
 * query nor fragment (RFC 8414 §2); one that is only compared may be any text.
 *
 * Throws a `TypeError` with a `code`.
 *
 * @example checkIssuer("https://as.example.com", { fetched: true, allowInsecure: false })
 */
export function checkIssuer(
  issuer: unknown,
  { fetched, allowInsecure }: { readonly fetched: boolean; readonly allowInsecure: boolean },
): void {
  if (typeof issuer !== "string" || issuer === "") throw optionError("issuer", "must be an issuer identifier");
  if (!fetched) return;
  const url = URL.parse(issuer);
  const defect = url === null ? "must be an https: URL" : endpointDefect(url, allowInsecure);
  if (defect !== undefined) throw optionError("issuer", defect);
  if (issuer.includes("?")) throw optionError("issuer", "must have no query");
}
