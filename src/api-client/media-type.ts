/**
 * Whether a Content-Type is this media type, with parameters or without (RFC 9110 §8.3.1).
 *
 * @example isMediaType("application/json; charset=utf-8", "application/json") // true
 */
export function isMediaType(contentType: string | string[] | undefined, mediaType: string): boolean {
  if (typeof contentType !== "string") return false;
  const [essence = ""] = contentType.split(";");
  return essence.trim().toLowerCase() === mediaType;
}
