import { ConfigurationError } from "./configuration/configuration-error.ts";
import type { Configuration } from "./configuration/configuration.ts";
import { inMemory } from "./configuration/resolve-configuration.ts";
import type { Clock } from "./engine/dependencies.ts";
import { createRemoteJwks } from "./remote-jwks/create-remote-jwks.ts";
import { checkAddressFree } from "./surroundings/check-address.ts";
import { checkKeySets } from "./surroundings/check-key-sets.ts";
import { checkStorePlace } from "./surroundings/check-store-place.ts";
import { checkValidity } from "./surroundings/check-validity.ts";

/**
 * Looks at what a start would find: the store's place, the address, key sets at URLs, the validity of certificates.
 * Nothing is made or written. Answers warnings, each with the path of its member.
 *
 * Rejects with what a start would fail with: `ConfigurationError`, or the system's error of `listen`. `source` is the
 * configuration's path.
 *
 * @example const warnings = await checkSurroundings(path, configuration, { clock: Date.now });
 */
export async function checkSurroundings(
  source: string,
  configuration: Configuration,
  { clock }: { readonly clock: Clock },
): Promise<readonly string[]> {
  const { listen, services, store } = configuration;
  const place = store.sqlite === inMemory ? [] : await checkStorePlace(store.sqlite);
  const address = await checkAddressFree(listen);
  const problems = [...place, ...address].filter(({ fatal }) => fatal);
  if (problems.length > 0) throw new ConfigurationError(source, problems);
  const remoteJwks = createRemoteJwks({ monotonicClock: clock });
  const keySets = await checkKeySets(services, (uri) => remoteJwks.latest(uri));
  remoteJwks.close();
  return [...address, ...checkValidity(configuration, clock()), ...keySets].map(
    ({ path, sentence }) => `${path} ${sentence}`,
  );
}
