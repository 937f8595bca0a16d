import { checkAddress, checkListen } from "./check-listen.ts";
import { checkService, checkServiceIds } from "./check-service.ts";
import { ConfigurationError, type Problem } from "./configuration-error.ts";
import { checkShape, type ConfigurationFile } from "./configuration-file.ts";
import type { Configuration } from "./configuration.ts";
import { readYaml } from "./read-yaml.ts";
import {
  createReferenceReader,
  type Environment,
  explainFileError,
  type ReadFile,
  readTextFile,
} from "./references.ts";
import { inMemory, resolveConfiguration, type ResolvedConfiguration } from "./resolve-configuration.ts";
import { warningsOf } from "./warnings.ts";

/** Where a configuration's references lead. */
export interface ConfigurationPlace {
  /** The configuration file; relative paths in it start from its folder. */
  readonly path: string;
  /** Reads UTF-8 text; rejects with an error that has a `code`. Left out: from the file system. */
  readonly readFile?: ReadFile;
  /** Where `{ env: NAME }` looks. */
  readonly env: Environment;
}

/**
 * Reads a configuration file (YAML 1.2) with everything it refers to, and checks all of it.
 *
 * Rejects with {@link ConfigurationError}, whose message is one readable text that never quotes a value.
 *
 * @example await readConfiguration({ path: "backend.yaml", env: process.env })
 */
export async function readConfiguration(place: ConfigurationPlace): Promise<Configuration> {
  const { path, readFile = readTextFile } = place;
  const text = await readFile(path).catch((cause: unknown) => {
    throw new ConfigurationError(path, [{ path: "", sentence: `cannot be read: ${explainFileError(cause)}` }], {
      cause,
    });
  });
  const reading = readYaml(text);
  if ("problems" in reading) throw new ConfigurationError(path, reading.problems);
  return configurationFrom(reading.value, place);
}

/**
 * Checks a configuration given as an object, with the same shape as the file.
 *
 * Secrets are references here, too: `env` has their values. Rejects with {@link ConfigurationError}.
 *
 * @example await configurationFrom({ store: { sqlite: ":memory:" }, services }, { path: "inline", env: { API_SECRET } })
 */
export async function configurationFrom(value: unknown, place: ConfigurationPlace): Promise<Configuration> {
  const { path, readFile = readTextFile, env } = place;
  const refuse = (problems: Iterable<Problem>) => {
    const found = [...problems];
    if (found.length > 0) throw new ConfigurationError(path, found);
  };
  const shape = checkShape(value);
  if ("problems" in shape) throw new ConfigurationError(path, shape.problems);
  const { file } = shape;
  refuse(checkListen(file.listen));
  const references = createReferenceReader({ path, readFile, env });
  const configuration = await resolveConfiguration(file, references);
  refuse(references.problems);
  refuse(checkMeaning(configuration, file));
  const services = configuration.services.map(({ settings, clients }) => ({ settings, clients }));
  return { ...configuration, services, warnings: warningsOf(services) };
}

function* checkMeaning(
  { listen, services, store, secretKey }: ResolvedConfiguration,
  file: ConfigurationFile,
): Generator<Problem> {
  if ("host" in listen) yield* checkAddress(listen);
  if (secretKey === undefined && file.secretKey !== undefined) {
    yield {
      path: "secretKey",
      sentence: "must be 32 octets: 64 hexadecimal digits, or base64 (openssl rand -base64 32)",
    };
  } else if (secretKey === undefined && store.sqlite !== inMemory) {
    yield { path: "secretKey", sentence: `is missing: only a store of ${inMemory} can do without` };
  }
  yield* checkServiceIds(services);
  for (const [index, service] of services.entries()) {
    yield* checkService(service, `services[${index}]`);
  }
}
