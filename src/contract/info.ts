import { z } from "zod";
import { defineOperation } from "./operation.ts";

const infoResponse = z
  .looseObject({
    version: z.string().describe("The version of the backend."),
    features: z.array(z.string()).describe("The features of this backend."),
  })
  .meta({ id: "InfoResponse" });

export type InfoResponse = z.infer<typeof infoResponse>;

export const info = defineOperation({
  operationId: "info_api",
  method: "GET",
  path: "/info",
  caller: "none",
  summary: "Version and features of the backend",
  description: "Returns the backend's version and features.",
  request: z.undefined(),
  response: infoResponse,
  idempotent: true,
  example: { response: { version: "0.1.0", features: ["client_credentials", "tls_client_auth"] } },
});
