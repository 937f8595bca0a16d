import { createResourceServer } from "certbound";
import { openBackend, readConfiguration } from "certbound/backend";
const backend = await openBackend({
  configuration: await readConfiguration({ path: "backend.yaml", env: process.env }),
});
export const resourceServer = createResourceServer({ backend });

export {};
