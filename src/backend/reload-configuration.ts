import { ConfigurationError, type Problem } from "./configuration/configuration-error.ts";
import type { Configuration, Listen, ListenTls } from "./configuration/configuration.ts";

/**
 * Refuses a configuration that a running backend cannot apply.
 *
 * Throws `ConfigurationError` with every member that needs a restart.
 */
export function refuseRestartMembers(running: Configuration, wanted: Configuration): void {
  const changed = [
    ...(isSameAddress(running.listen, wanted.listen) ? [] : ["listen"]),
    ...(running.store.sqlite === wanted.store.sqlite ? [] : ["store.sqlite"]),
    ...(isSameKey(running.secretKey, wanted.secretKey) ? [] : ["secretKey"]),
    ...(running.log.format === wanted.log.format ? [] : ["log.format"]),
    ...changedMembers("events", running.events, wanted.events),
    ...changedMembers("sweep", running.sweep, wanted.sweep),
  ];
  const sentence = "has changed, and only a restart can apply that: restart, or undo the change";
  const problems = changed.map((path): Problem => ({ path, sentence }));
  if (problems.length > 0) throw new ConfigurationError("configuration", problems);
}

function changedMembers<Section extends object>(name: string, running: Section, wanted: Section): string[] {
  const members = Object.keys(running) as (keyof Section & string)[];
  return members.filter((member) => running[member] !== wanted[member]).map((member) => `${name}.${member}`);
}

/** Says which members outside `services` change, a line each. */
export function describeProcessChanges(running: Configuration, wanted: Configuration): string[] {
  const [before, after] = [tlsOf(running.listen), tlsOf(wanted.listen)];
  const tlsMembers = (["certificate", "key", "minVersion"] as const).filter(
    (member) => before?.[member] !== after?.[member],
  );
  return [
    ...(tlsMembers.length === 0 ? [] : [`changes listen.tls: ${tlsMembers.join(", ")}`]),
    ...(running.log.level === wanted.log.level ? [] : [`changes log.level: ${wanted.log.level}`]),
  ];
}

/** A listener's TLS settings; `undefined` for plain HTTP. */
export function tlsOf(listen: Listen): ListenTls | undefined {
  return "host" in listen ? listen.tls : undefined;
}

/** `behindTls` does not change a listener's address. */
function isSameAddress(running: Listen, wanted: Listen): boolean {
  if ("unix" in running || "unix" in wanted) {
    return "unix" in running && "unix" in wanted && running.unix === wanted.unix;
  }
  return (
    running.host === wanted.host &&
    running.port === wanted.port &&
    (running.tls === undefined) === (wanted.tls === undefined)
  );
}

function isSameKey(running: Uint8Array | undefined, wanted: Uint8Array | undefined): boolean {
  if (running === undefined || wanted === undefined) return running === wanted;
  return Buffer.compare(running, wanted) === 0;
}
