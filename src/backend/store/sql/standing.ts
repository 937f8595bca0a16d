import { whole } from "../columns.ts";
import type { DecidedUpon } from "../command.ts";
import { selected, type Selected } from "./records.ts";
import type { Values } from "./statement.ts";

/**
 * The meaning of "stands" in every read and command.
 *
 * A deleted service or client stays as a row that is not `present`, with a `first_version` above all its former
 * versions. Issued rows carry the versions they were issued under, so those older than a deletion stay invalid
 * permanently, even if the id is used again.
 */
export const standsWith = (row: string): string => `
  JOIN service s ON ${sameService(row)}
  JOIN client c ON ${sameClient(row)}`;

/** The same owners for reads of every row: they are null for a row that does not stand. */
export const ownersOf = (row: string): string => `
  LEFT JOIN service s ON ${sameService(row)}
  LEFT JOIN client c ON ${sameClient(row)}`;

const sameService = (row: string): string =>
  `s.service_id = ${row}.service_id AND s.present = 1 AND s.first_version <= ${row}.service_version`;

const sameClient = (row: string): string =>
  `c.service_id = ${row}.service_id AND c.client_id = ${row}.client_id
    AND c.present = 1 AND c.first_version <= ${row}.client_version`;

/** The same as a condition on a row in an UPDATE. */
export const ownersStand = (table: string): string => `
  EXISTS (
    SELECT 1 FROM service s JOIN client c ON c.service_id = s.service_id
    WHERE s.service_id = ${table}.service_id AND s.present = 1 AND s.first_version <= ${table}.service_version
      AND c.client_id = ${table}.client_id AND c.present = 1 AND c.first_version <= ${table}.client_version)`;

/** The service and the client are still at the versions that the decision rests on. */
export const decidedUpon = `
  s.service_id = :serviceId AND s.version = :serviceVersion AND s.present = 1
    AND c.client_id = :clientId AND c.version = :clientVersion AND c.present = 1`;

/** Both at once: the row is of the client decided upon, and was not issued before a deletion. `and` may speak of `c`. */
export const ownersAsDecided = (table: string, and = ""): string => `
  ${table}.service_id = :serviceId AND ${table}.client_id = :clientId AND EXISTS (
    SELECT 1 FROM service s JOIN client c ON c.service_id = s.service_id
    WHERE ${decidedUpon}
      AND s.first_version <= ${table}.service_version AND c.first_version <= ${table}.client_version ${and})`;

/**
 * A token, a grant or a code was issued after the last revocation of its client `c`, of its subject, and of both
 * together: those have numbers that grow, and the row has the last one that concerned it when it was issued.
 */
export const notRevoked = (row: string): string => `
  c.revocation <= ${row}.revocation AND NOT EXISTS (
    SELECT 1 FROM revocation v
    WHERE v.service_id = ${row}.service_id AND v.subject = ${row}.subject AND v.client_id IN (0, ${row}.client_id)
      AND v.number > ${row}.revocation)`;

/** The grant `:grantId` has not ended, by itself or with all of its client or its subject. */
export const grantStands = `
  EXISTS (
    SELECT 1 FROM token_grant g JOIN client c ON c.service_id = g.service_id AND c.client_id = g.client_id
    WHERE g.service_id = :serviceId AND g.grant_id = :grantId AND g.ended_at IS NULL AND ${notRevoked("g")})`;

/** The active access token `:digest` of the service, as `t`. */
export const accessTokenInForce = `
  FROM access_token t ${standsWith("t")}
  WHERE t.service_id = :serviceId AND t.digest = :digest AND t.ended_at IS NULL
    AND (t.grant_id IS NULL AND ${notRevoked("t")} OR EXISTS (
      SELECT 1 FROM token_grant g
      WHERE g.service_id = t.service_id AND g.grant_id = t.grant_id AND g.ended_at IS NULL AND ${notRevoked("g")}))`;

/** The owners that a read finds beside a row, for a decision that rests on them. */
export const ownerFacts: Readonly<Record<"clientId" | "clientVersion" | "serviceVersion", Selected<number>>> = {
  clientId: selected("c.client_id", whole),
  clientVersion: selected("c.version", whole),
  serviceVersion: selected("s.version", whole),
};

/** The columns of a new row by which it names the owners that were decided upon. */
export const ownerColumns = {
  service_id: "s.service_id",
  service_version: "s.version",
  client_id: "c.client_id",
  client_version: "c.version",
};

/** The values of {@link decidedUpon}, and the attempt. */
export function decidedValues({ serviceId, serviceVersion, clientId, clientVersion, attempt }: DecidedUpon): Values {
  return { serviceId, serviceVersion, clientId, clientVersion, attempt };
}
