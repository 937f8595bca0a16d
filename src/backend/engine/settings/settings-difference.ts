import type { ClientSettings, GrantType, ServiceSettings } from "./settings.ts";

/** What differs between two settings of one service or client; never a value. */
export interface SettingsDifference {
  /** Names of members, as the configuration file spells them. */
  readonly members: readonly string[];
  /** Sentences about live tokens that are of no use while the new settings last; the old settings bring them back. */
  readonly effects: readonly string[];
}

/** Compares what is stored with what is wanted: both with their secrets opened, or both without them. */
export function serviceDifference(
  stored: Partial<ServiceSettings>,
  wanted: Partial<ServiceSettings>,
): SettingsDifference {
  const members = changedMembers(stored, wanted).map((name) =>
    name === "accessTokens" ? "serviceAccessTokens" : name,
  );
  const effects: string[] = [];
  if (members.includes("issuer")) {
    effects.push("APIs that verify JWT access tokens themselves refuse those of the former issuer");
  }
  const lost = lostKeys(stored.jwks, wanted.jwks);
  if (lost.length > 0) effects.push(`APIs cannot verify what was signed with ${lost.join(", ")}`);
  if (losesRefresh(stored.supportedGrantTypes, wanted.supportedGrantTypes)) effects.push(noRefresh);
  return { members, effects };
}

/** The same of a client. */
export function clientDifference(stored: Partial<ClientSettings>, wanted: Partial<ClientSettings>): SettingsDifference {
  const effects: string[] = [];
  if (wanted.locked === true && stored.locked !== true) effects.push("its tokens are not active while it is locked");
  if (losesRefresh(stored.grantTypes, wanted.grantTypes)) effects.push(noRefresh);
  return { members: changedMembers(stored, wanted), effects };
}

const noRefresh = "its refresh tokens cannot be used without REFRESH_TOKEN";

function losesRefresh(stored: readonly GrantType[] = [], wanted: readonly GrantType[] = []): boolean {
  return stored.includes("REFRESH_TOKEN") && !wanted.includes("REFRESH_TOKEN");
}

/** A member that is not there has no JSON text, and so differs from every value. */
function changedMembers(stored: object, wanted: object): string[] {
  const names = new Set([...Object.keys(stored), ...Object.keys(wanted)]);
  const textOf = (settings: object, name: string): string | undefined =>
    JSON.stringify((settings as Readonly<Record<string, unknown>>)[name]);
  return [...names].filter((name) => textOf(stored, name) !== textOf(wanted, name));
}

interface PublicKey {
  readonly kid?: unknown;
  readonly kty?: unknown;
  readonly crv?: unknown;
  readonly n?: unknown;
  readonly x?: unknown;
  readonly y?: unknown;
}

/** The names of keys that are no longer there, be it under their `kid` or at all. */
function lostKeys(stored: string | undefined, wanted: string | undefined): string[] {
  const kept = new Set(keysOf(wanted).map(identityOf));
  const lost = keysOf(stored).filter((key) => !kept.has(identityOf(key)));
  return lost.map(({ kid }) => (typeof kid === "string" ? `the key ${JSON.stringify(kid)}` : "a key without kid"));
}

function keysOf(jwks: string | undefined): readonly PublicKey[] {
  return jwks === undefined ? [] : (JSON.parse(jwks) as { keys: readonly PublicKey[] }).keys;
}

/** Of its public half: a new `alg` or `use` is no other key. */
const identityOf = ({ kid, kty, crv, n, x, y }: PublicKey): string => JSON.stringify([kid, kty, crv, n, x, y]);
