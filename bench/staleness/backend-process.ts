/** The backend's process: one client, whose tokens are bound to the certificate that it presents. */
import { createLog } from "../../src/backend/http/create-log.ts";
import { serveBackend } from "../../src/backend/serve-backend.ts";
import { configurationOf, serviceSettings } from "../../test/support/settings.ts";
import { serve } from "../servers/serve.ts";
import { client } from "./causes.ts";

await serve(async ({ database }: { readonly database: string }) => {
  const settings = serviceSettings({ supportedGrantTypes: client.grantTypes });
  const { address } = await serveBackend({
    configuration: configurationOf([{ settings, clients: [client] }], {
      store: { sqlite: database },
      secretKey: Buffer.alloc(32, 7),
    }),
    log: createLog({ level: "info", stream: process.stdout }),
  });
  if (address.port === undefined) throw new Error("the backend listens on no port");
  return { port: address.port };
});
