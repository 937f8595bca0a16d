import type { Answer } from "./answer.ts";
import type { HttpDependencies } from "./http-dependencies.ts";
import { routePath, type RoutePath } from "./route-path.ts";

/** A path whose answer does not depend on the request. */
export interface HealthRoute {
  readonly method: "GET";
  readonly path: RoutePath;
  readonly respond: () => Promise<Answer>;
}

/** Returns the names of the failed checks. */
type Probe = () => readonly string[] | Promise<readonly string[]>;

/**
 * The probes; none asks for credentials.
 *
 * `/livez` and `/readyz` are Kubernetes' names, `/api/lifecycle/healthcheck` is the API's for the latter. HEAD gets the
 * same without the body.
 */
export function healthRoutes({
  livenessFailures,
  readinessFailures,
}: Pick<HttpDependencies, "livenessFailures" | "readinessFailures">): readonly HealthRoute[] {
  return [
    probeRoute(routePath("root", "/livez"), "NOT ALIVE", livenessFailures),
    probeRoute(routePath("root", "/readyz"), "NOT READY", readinessFailures),
    probeRoute(routePath("open", "/lifecycle/healthcheck"), "NOT READY", readinessFailures),
  ];
}

function probeRoute(path: RoutePath, otherwise: string, probe: Probe = () => []): HealthRoute {
  return {
    method: "GET",
    path,
    async respond() {
      const failed = await probe();
      const ok = failed.length === 0;
      return {
        status: ok ? 200 : 503,
        contentType: "text/plain; charset=utf-8",
        body: ok ? "OK" : `${otherwise}: ${failed.join(", ")}`,
      };
    },
  };
}
