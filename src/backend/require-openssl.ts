import { checkOpenssl } from "./chain-verification/openssl-process.ts";
import { ConfigurationError } from "./configuration/configuration-error.ts";
import { needsChainVerification, type Configuration } from "./configuration/configuration.ts";

/**
 * Rejects with {@link ConfigurationError} when the authentication of a client needs `openssl` and it is missing.
 *
 * `path` is the value of PATH.
 *
 * @example await requireOpenssl(configuration, process.env.PATH)
 */
export async function requireOpenssl(configuration: Configuration, path: string | undefined): Promise<void> {
  if (!needsChainVerification(configuration)) return;
  const missing = await checkOpenssl(path === undefined ? {} : { path });
  if (missing !== undefined) throw new ConfigurationError("openssl", [{ path: "", sentence: missing }]);
}
