import { flag } from "../columns.ts";
import type { ConsumeTicket, IssueCode, KeepTicket, UpdateTicket, UseAssertion } from "../command.ts";
import { codeColumns, ticketColumns } from "../tables.ts";
import { columnsOf, insertFound, parametersOf, recordReader, selected, recordWriter, selectList } from "./records.ts";
import { lastOfPair } from "./revocations.ts";
import {
  decidedUpon,
  decidedValues,
  notRevoked,
  ownerColumns,
  ownerFacts,
  ownersAsDecided,
  ownersStand,
  standsWith,
} from "./standing.ts";
import type { Plan } from "./statement.ts";

const consumed = selected("CASE WHEN k.consumed_at IS NULL THEN 0 ELSE 1 END", flag);
const ticketFacts = { ...columnsOf("k", ticketColumns), ...ownerFacts, consumed };
const codeFacts = { ...columnsOf("k", codeColumns), ...ownerFacts, consumed };

const ticket = `
  SELECT ${selectList(ticketFacts)} FROM ticket k ${standsWith("k")}
  WHERE k.service_id = :serviceId AND k.digest = :digest`;

/** A used code is known as long as its grant is kept: a replay is recognised also after a revocation. */
const code = `
  SELECT ${selectList(codeFacts)} FROM authorization_code k ${standsWith("k")}
  WHERE k.service_id = :serviceId AND k.digest = :digest AND (k.consumed_at IS NOT NULL OR ${notRevoked("k")})`;

const ticketOfRow = recordReader(ticketFacts);
const codeOfRow = recordReader(codeFacts);

const ticketValues = recordWriter(ticketColumns);
const codeValues = recordWriter(codeColumns);

/** The reads of what leads to tokens: tickets and authorization codes. */
export const ticketQueries = {
  readTicket: (serviceId: number, digest: Uint8Array) => ({
    sql: ticket,
    values: { serviceId, digest },
    one: ticketOfRow,
  }),
  readCode: (serviceId: number, digest: Uint8Array) => ({ sql: code, values: { serviceId, digest }, one: codeOfRow }),
};

const insertTicket = insertFound(
  "ticket",
  { ...parametersOf(ticketColumns), ...ownerColumns, attempt: ":attempt" },
  `FROM service s JOIN client c ON c.service_id = s.service_id
  WHERE ${decidedUpon}
  ON CONFLICT (digest) DO NOTHING`,
);

const ticketKeptByThisAttempt = "SELECT 1 FROM ticket WHERE digest = :digest AND attempt = :attempt";

export function keepTicket({ ticket, ...decided }: KeepTicket): Plan {
  const values = { ...decidedValues(decided), ...ticketValues(ticket) };
  return {
    statements: [{ guard: true, sql: insertTicket, values }],
    applied: { sql: ticketKeptByThisAttempt, values },
  };
}

const updateContext = `
  UPDATE ticket SET context = :context, changed_by = :attempt
  WHERE service_id = :serviceId AND digest = :digest AND consumed_at IS NULL
    AND ${ownersStand("ticket")}`;

const contextChangedByThisAttempt = `
  SELECT 1 FROM ticket WHERE service_id = :serviceId AND digest = :digest AND changed_by = :attempt`;

export function updateTicket({ serviceId, digest, context, attempt }: UpdateTicket): Plan {
  const values = { serviceId, digest, context, attempt };
  return {
    statements: [{ guard: true, sql: updateContext, values }],
    applied: { sql: contextChangedByThisAttempt, values },
  };
}

const consumeOnly = `
  UPDATE ticket SET consumed_at = :consumedAt, consumed_by = :attempt
  WHERE service_id = :serviceId AND digest = :digest AND consumed_at IS NULL AND ${ownersStand("ticket")}`;

const ticketConsumedByThisAttempt = `
  SELECT 1 FROM ticket WHERE service_id = :serviceId AND digest = :digest AND consumed_by = :attempt`;

export function consumeTicket({ serviceId, digest, consumedAt, attempt }: ConsumeTicket): Plan {
  const values = { serviceId, digest, consumedAt, attempt };
  return {
    statements: [{ guard: true, sql: consumeOnly, values }],
    applied: { sql: ticketConsumedByThisAttempt, values },
  };
}

const consumeForCode = `
  UPDATE ticket SET consumed_at = :createdAt, consumed_by = :attempt
  WHERE digest = :ticketDigest AND consumed_at IS NULL AND kind = 'authorization' AND ${ownersAsDecided("ticket")}
    AND NOT EXISTS (SELECT 1 FROM authorization_code WHERE digest = :digest)`;

const insertCode = insertFound(
  "authorization_code",
  { ...parametersOf(codeColumns), ...ownerColumns, attempt: ":attempt", revocation: lastOfPair(":subject") },
  `FROM service s JOIN client c ON c.service_id = s.service_id
  WHERE ${decidedUpon} AND EXISTS (SELECT 1 FROM ticket WHERE digest = :ticketDigest AND consumed_by = :attempt)
  ON CONFLICT (digest) DO NOTHING`,
);

const codeIssuedByThisAttempt = "SELECT 1 FROM authorization_code WHERE digest = :digest AND attempt = :attempt";

export function issueCode({ ticketDigest, createdAt, code, ...decided }: IssueCode): Plan {
  const values = { ...decidedValues(decided), ticketDigest, ...codeValues({ ...code, createdAt }) };
  return {
    statements: [
      { guard: true, sql: consumeForCode, values },
      { guard: true, sql: insertCode, values },
    ],
    applied: { sql: codeIssuedByThisAttempt, values },
  };
}

const insertAssertion = `
  INSERT INTO used_assertion (service_id, client_id, digest, expires_at, attempt)
  VALUES (:serviceId, :clientId, :digest, :expiresAt, :attempt)
  ON CONFLICT (service_id, client_id, digest) DO NOTHING`;

const assertionUsedByThisAttempt = `
  SELECT 1 FROM used_assertion
  WHERE service_id = :serviceId AND client_id = :clientId AND digest = :digest AND attempt = :attempt`;

export function useAssertion({ serviceId, clientId, digest, expiresAt, attempt }: UseAssertion): Plan {
  const values = { serviceId, clientId, digest, expiresAt, attempt };
  return {
    statements: [{ guard: true, sql: insertAssertion, values }],
    applied: { sql: assertionUsedByThisAttempt, values },
  };
}
