/** The HTTP layer over an operation that does nothing: Koa, router, body, contract, log and response. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { apiErrorOf } from "../../src/backend/api-error-of.ts";
import { createHttpApp } from "../../src/backend/http/create-http-app.ts";
import { createLog } from "../../src/backend/http/create-log.ts";
import type { ServiceOperations } from "../../src/backend/http/http-dependencies.ts";
import type { IntrospectionResponse } from "../../src/contract/auth-introspection.ts";
import { operations, type OperationName } from "../../src/contract/operations.ts";
import { serve } from "./serve.ts";

interface Argument {
  readonly answer: IntrospectionResponse;
  readonly level: "info" | "silent";
}

await serve(async ({ answer, level }: Argument) => {
  const nothing = (): Promise<never> => Promise.reject(new Error("not measured"));
  const names = Object.keys(operations) as OperationName[];
  const measured = {
    ...(Object.fromEntries(names.map((name) => [name, nothing])) as unknown as ServiceOperations),
    authIntrospection: () => Promise.resolve(answer),
  };
  const app = createHttpApp({
    operationsFor: () => Promise.resolve(measured),
    apiErrorOf,
    info: nothing,
    log: createLog({ level, stream: { write: () => undefined } }),
    newRequestId: randomUUID,
    monotonicClock: () => performance.now(),
  });
  const server = createServer(app);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return { port: (server.address() as AddressInfo).port };
});
