import { hash } from "node:crypto";

/**
 * Keys of cached facts: an introspection answer lists the keys that it depends on, an event those that are invalid.
 * Opaque to their readers, and useless as credentials.
 */

/** `digest` is the token's SHA-256 in base64url. */
export const tokenKey = (digest: string): string => `token:${digest}`;

/** By the subject's SHA-256, so that watchers of a service's events do not learn of users that they have never seen. */
export const subjectKey = (subject: string): string => `subject:${hash("sha256", subject, "base64url")}`;

/** Unique within a service, as the events that carry it are. */
export const grantKey = (grantId: string): string => `grant:${grantId}`;

export const clientKey = (serviceId: number | string, clientId: number | string): string =>
  `client:${serviceId}:${clientId}`;

export const serviceKey = (serviceId: number | string): string => `service:${serviceId}`;

/** Closes an SQL text before a column and opens it again after it. */
const column = (name: string): string => `' || ${name} || '`;

/** The keys of a row as a JSON text, as SQL expressions: which rows changed is known to the database only. */
export const keysOfRow = {
  service: `'["${serviceKey(column("service_id"))}"]'`,
  client: `'["${clientKey(column("service_id"), column("client_id"))}"]'`,
  /** Our own grant ids contain nothing that JSON would escape. */
  grant: `'["${grantKey(column("grant_id"))}"]'`,
} as const;
