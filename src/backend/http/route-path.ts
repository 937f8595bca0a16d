/** `open`: below `/api` like v2, and the operation asks for no credentials; `root`: neither, and not of the API. */
export type Shape = "v2" | "v3" | "open" | "root";

/** One path that the app answers. */
export interface RoutePath {
  readonly shape: Shape;
  /** What goes into the log instead of the path, which may carry a token. */
  readonly template: string;
  /** Exact: case, no trailing slash. Its groups are the segments that vary; in the v3 shape the first is the service id. */
  readonly pattern: RegExp;
}

/**
 * Where an operation is, in one shape of the API (Authlete's API): a first segment of digits makes it v3.
 *
 * @example routePath("v3", "/auth/token").template // "/api/{serviceId}/auth/token"
 */
export function routePath(shape: Shape, path: string): RoutePath {
  const template = `${shape === "root" ? "" : "/api"}${shape === "v3" ? "/{serviceId}" : ""}${path}`;
  const pattern = template
    .replaceAll(".", "\\.")
    .replace("{serviceId}", "([1-9][0-9]{0,15})")
    .replaceAll(/\{[A-Za-z]+\}/g, "([^/]+)");
  return { shape, template, pattern: new RegExp(`^${pattern}$`) };
}
