import { ConfigurationError } from "./configuration/configuration-error.ts";
import type { Configuration } from "./configuration/configuration.ts";
import { inMemory } from "./configuration/resolve-configuration.ts";
import type { Clock, Random } from "./engine/dependencies.ts";
import { checkSecretKey } from "./engine/management/put-configuration.ts";
import { secretKeyProblem } from "./open-engine.ts";
import { createRemoteJwks } from "./remote-jwks/create-remote-jwks.ts";
import { createSecretBox } from "./secret-box/aes-secret-box.ts";
import { readSqliteStore } from "./store/sqlite/read-sqlite-store.ts";
import { checkAddressFree } from "./surroundings/check-address.ts";
import { checkKeySets } from "./surroundings/check-key-sets.ts";
import { checkStorePlace } from "./surroundings/check-store-place.ts";
import { checkValidity } from "./surroundings/check-validity.ts";

export interface SurroundingsOptions {
  /** Milliseconds since 1970. */
  readonly clock: Clock;
  readonly random: Random;
  /** The configuration's `secretKey` is meant to be another than the store's. */
  readonly newSecretKey?: boolean;
}

/**
 * Looks at what a start would find: the store, the address, key sets at URLs, the validity of certificates. Nothing is
 * made or written. Answers warnings, each with the path of its member.
 *
 * Rejects with what a start would fail with: `ConfigurationError`, `StoreFailure`, or the system's error of `listen`.
 * `source` is the configuration's path.
 *
 * @example const warnings = await checkSurroundings(path, configuration, { clock: Date.now, random: randomBytes });
 */
export async function checkSurroundings(
  source: string,
  configuration: Configuration,
  options: SurroundingsOptions,
): Promise<readonly string[]> {
  const { listen, services, store } = configuration;
  const { clock } = options;
  const place = store.sqlite === inMemory ? [] : await checkStorePlace(store.sqlite);
  const address = await checkAddressFree(listen);
  const problems = [...place, ...address].filter(({ fatal }) => fatal);
  if (problems.length > 0) throw new ConfigurationError(source, problems);
  await checkStoredSecrets(source, configuration, options);
  const remoteJwks = createRemoteJwks({ monotonicClock: clock });
  const keySets = await checkKeySets(services, (uri) => remoteJwks.latest(uri));
  remoteJwks.close();
  return [...address, ...checkValidity(configuration, clock()), ...keySets].map(
    ({ path, sentence }) => `${path} ${sentence}`,
  );
}

/** Whether the file is a store that this version can open, and the key is that of its secrets. */
async function checkStoredSecrets(
  source: string,
  { store, secretKey, services }: Configuration,
  { random, newSecretKey = false }: SurroundingsOptions,
): Promise<void> {
  if (store.sqlite === inMemory || secretKey === undefined) return;
  const secretBox = createSecretBox(secretKey, random);
  try {
    await readSqliteStore(store.sqlite, async (readable) => {
      if (!newSecretKey) await checkSecretKey({ store: readable, secretBox }, services);
    });
  } catch (error) {
    const differs = secretKeyProblem(error);
    throw differs === undefined ? error : new ConfigurationError(source, [differs], { cause: error });
  }
}
