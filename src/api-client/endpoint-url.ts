import { isLoopback } from "../oauth/loopback.ts";
import { optionError } from "../options/option-error.ts";

/**
 * Checks the URL of a place that gets credentials or tokens: https, or plain HTTP on this machine (RFC 7662 §2, RFC 6749 §3).
 *
 * Throws a `TypeError` that names the option. `allowInsecure` lets plain HTTP go to another machine.
 *
 * @example readEndpointUrl("url", "https://as.example.com/introspect").host // "as.example.com"
 */
export function readEndpointUrl(option: string, value: unknown, allowInsecure = false): URL {
  const url = typeof value === "string" ? URL.parse(value) : null;
  const defect = url === null ? "must be an https: URL" : endpointDefect(url, allowInsecure);
  if (url === null || defect !== undefined) throw optionError(option, defect ?? "must be an https: URL");
  return url;
}

/** What is wrong with such a URL, as a rule that it breaks; `undefined`: nothing. */
export function endpointDefect(url: URL, allowInsecure: boolean): string | undefined {
  if (url.username !== "" || url.password !== "") return "must not contain credentials";
  if (url.hash !== "") return "must have no fragment";
  if (url.protocol === "https:") return undefined;
  if (url.protocol !== "http:") return "must be an https: URL";
  return isLoopback(url.hostname) || allowInsecure
    ? undefined
    : "must be https: unless it is on this machine or allowInsecure is true";
}
