import type {
  ServiceConfigurationRequest,
  ServiceConfigurationResponse,
} from "../../../contract/service-configuration.ts";
import type { Service } from "../management/settings-memo.ts";
import { createMetadata } from "./metadata.ts";
import { patchDocument } from "./patch-document.ts";

/** The metadata of the authorization server, with the caller's patch applied if there is one. */
export async function configurationOfService(
  service: Service,
  { patch }: ServiceConfigurationRequest,
): Promise<ServiceConfigurationResponse> {
  const metadata = createMetadata(service);
  return patch === undefined || patch === null || patch === "" ? metadata : patchDocument(metadata, patch);
}
