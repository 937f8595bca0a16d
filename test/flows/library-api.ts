import Koa from "koa";
import type { ExecutionContext } from "ava";
import { createResourceServer, introspectionEndpoint, jwtAccessTokens } from "../../src/resource-server/index.ts";
import { protect, type ProtectedState } from "../../src/resource-server/middleware/koa.ts";
import { serveMutualTls } from "../support/deployment.ts";
import { ca, resource, resourceServer } from "./example-deployment.ts";

/** An API behind mutual TLS with the library in front, and what its operator was told. */
export interface LibraryApi {
  readonly url: URL;
  /** The codes of the refusals, in order. */
  readonly refusals: string[];
}

// On a busy machine an answer may take its time.
const timeout = { attempt: 30_000, total: 30_000 };

/** Starts an API for the scope `read` that introspects at this issuer, or checks JWTs by its keys; nothing is remembered. */
export async function startLibraryApi(
  t: ExecutionContext,
  issuer: string,
  how: "introspection" | "jwt",
): Promise<LibraryApi> {
  const { id: clientId, secret } = resourceServer;
  const common = { issuer, tls: { ca }, timeout };
  const source =
    how === "jwt"
      ? jwtAccessTokens({ ...common, audience: resource })
      : introspectionEndpoint({
          ...common,
          clientAuthentication: { method: "client_secret_basic", clientId, clientSecret: secret },
        });
  const library = createResourceServer({ source, cache: false, resource, timeout: 30_000 });
  t.teardown(() => library.close());
  const refusals: string[] = [];
  const app = new Koa<ProtectedState>();
  app.use(
    protect(library, {
      requirement: { scopes: ["read"] },
      onRefusal: ({ code }) => void refusals.push(code),
    }),
  );
  app.use((ctx) => {
    const { sub, clientId: owner, x5tS256 } = ctx.state.accessToken;
    ctx.body = { sub, clientId: owner, x5tS256 };
  });
  const handle = app.callback();
  const url = await serveMutualTls(t, (request, response) => void handle(request, response));
  return { url: new URL(url), refusals };
}
