import { hash } from "node:crypto";

/**
 * The texts by which cached facts are found again: an introspection answer names those that it rests on, an event those
 * that are void. Opaque to whoever reads them, and never anything that opens something.
 */

/** `digest` is the token's SHA-256 in base64url. */
export const tokenKey = (digest: string): string => `token:${digest}`;

/** By the subject's SHA-256: whoever watches the service's events is not told of users that it has never seen. */
export const subjectKey = (subject: string): string => `subject:${hash("sha256", subject, "base64url")}`;

/** Unique within a service, as the events that carry it are. */
export const grantKey = (grantId: string): string => `grant:${grantId}`;

export const clientKey = (serviceId: number | string, clientId: number | string): string =>
  `client:${serviceId}:${clientId}`;

export const serviceKey = (serviceId: number | string): string => `service:${serviceId}`;

/** Closes an SQL text before a column and opens it again behind it. */
const column = (name: string): string => `' || ${name} || '`;

/** The keys of a row as a JSON text, as SQL expressions: which rows changed is known to the database only. */
export const keysOfRow = {
  service: `'["${serviceKey(column("service_id"))}"]'`,
  client: `'["${clientKey(column("service_id"), column("client_id"))}"]'`,
  /** Ids of grants are drawn by us: there is nothing in them that JSON would escape. */
  grant: `'["${grantKey(column("grant_id"))}"]'`,
} as const;
