import { ConfigurationError } from "./configuration/configuration-error.ts";
import type { Configuration } from "./configuration/configuration.ts";
import { inMemory } from "./configuration/resolve-configuration.ts";
import type { Clock } from "./engine/dependencies.ts";
import { createRemoteJwks } from "./remote-jwks/create-remote-jwks.ts";
import { defectOfStorePlace } from "./store/sqlite/store-place.ts";
import { checkAddressFree } from "./surroundings/check-address.ts";
import { checkKeySets } from "./surroundings/check-key-sets.ts";
import { checkValidity } from "./surroundings/check-validity.ts";
import { problem } from "./surroundings/finding.ts";

/**
 * Checks what a start depends on: the store's place, the address, key sets at URLs, the validity of certificates.
 * Writes nothing. Returns warnings, each with the path of its member.
 *
 * Rejects as a start would: with `ConfigurationError`, or the system's error of `listen`. `source` is the
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
  const defect = store.sqlite === inMemory ? undefined : defectOfStorePlace(store.sqlite);
  const place = defect === undefined ? [] : [problem("store.sqlite", defect)];
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
