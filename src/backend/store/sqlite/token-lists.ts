import type { DatabaseSync } from "node:sqlite";
import {
  type CountRow,
  countStatement,
  listedTokenOfRow,
  type ListedTokenRow,
  tokenCountStatements,
  type WalkedRow,
  walkStatement,
} from "../sql/listed-token-facts.ts";
import type { Statement } from "../sql/statement.ts";
import { tokenQueries } from "../sql/token-facts.ts";
import type { AccessTokens, AccessTokensQuery, ListedAccessToken, TokenCount, TokenCountQuery } from "../store.ts";
import { createPreparedStatements, createSnapshot } from "./prepared-statements.ts";

/** The reads that look at many rows, synchronous, each of one state of the database. */
export interface TokenLists {
  readonly listAccessTokens: (serviceId: number, query: AccessTokensQuery) => AccessTokens;
  readonly countTokens: (serviceId: number, query: TokenCountQuery) => TokenCount;
}

/** Creates them over a connection that nothing has to wait for: a list takes some hundredths of a second. */
export function createTokenLists(db: DatabaseSync): TokenLists {
  const prepare = createPreparedStatements(db);
  const inSnapshot = createSnapshot(db);

  const countRow = ({ sql, values }: Statement): CountRow => prepare(sql).get(...values) as unknown as CountRow;

  /** Few rows first: as a rule all that are walked over are active. */
  function walk(serviceId: number, query: AccessTokensQuery): { rows: WalkedRow[]; cut: boolean } {
    const { end, most } = query;
    for (const limit of [Math.min(end, most), most]) {
      const { sql, values } = walkStatement(serviceId, query, limit + 1);
      const walked = prepare(sql).all(...values) as unknown as WalkedRow[];
      const rows = walked.slice(0, limit);
      if (walked.length <= limit || limit === most || rows.every(isInForce))
        return { rows, cut: walked.length > limit };
    }
    throw new Error("the last limit is always enough");
  }

  function listAccessTokens(serviceId: number, query: AccessTokensQuery): AccessTokens {
    const { start, end, most } = query;
    const { walked, found } = countRow(countStatement(serviceId, query, most + 1));
    const { rows, cut } = walk(serviceId, query);
    const inForce = rows.filter(isInForce);
    const last = inForce.length > end ? inForce[end - 1] : cut ? rows.at(-1) : undefined;
    return {
      totalCount: Math.min(found, most),
      moreThanCounted: walked > most,
      tokens: inForce.slice(start, Math.max(start, end)).map(({ digest }) => readListed(serviceId, digest)),
      next: last && { expiresAt: last.expires_at, createdAt: last.created_at, digest: last.digest },
    };
  }

  function readListed(serviceId: number, digest: Uint8Array): ListedAccessToken {
    return listedTokenOfRow(
      digest,
      prepare(tokenQueries.listedToken).get(serviceId, digest) as unknown as ListedTokenRow,
    );
  }

  function countTokens(serviceId: number, query: TokenCountQuery): TokenCount {
    const rows = tokenCountStatements(serviceId, query).map(countRow);
    return {
      count: rows.reduce((sum, { found }) => sum + Math.min(found, query.most), 0),
      moreThanCounted: rows.some(({ walked }) => walked > query.most),
    };
  }

  return {
    listAccessTokens: (serviceId, query) => inSnapshot(() => listAccessTokens(serviceId, query)),
    countTokens: (serviceId, query) => inSnapshot(() => countTokens(serviceId, query)),
  };
}

function isInForce(row: WalkedRow): boolean {
  return row.in_force === 1;
}
