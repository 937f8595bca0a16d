import type { DatabaseSync } from "node:sqlite";
import {
  type BoundedCount,
  countWalked,
  tokenCounts,
  type WalkedToken,
  walkTokens,
} from "../sql/listed-token-facts.ts";
import type { RowQuery } from "../sql/statement.ts";
import { readListedToken } from "../sql/token-facts.ts";
import type { AccessTokens, AccessTokensQuery, ListedAccessToken, TokenCount, TokenCountQuery } from "../store.ts";
import { createAsk, createSnapshot } from "./prepared-statements.ts";

/** The reads that look at many rows, synchronous, each of one state of the database. */
export interface TokenLists {
  readonly listAccessTokens: (serviceId: number, query: AccessTokensQuery) => AccessTokens;
  readonly countTokens: (serviceId: number, query: TokenCountQuery) => TokenCount;
}

/** Creates them over a connection that nothing has to wait for: a list takes some hundredths of a second. */
export function createTokenLists(db: DatabaseSync): TokenLists {
  const ask = createAsk(db);
  const inSnapshot = createSnapshot(db);

  function count(query: RowQuery<BoundedCount>): BoundedCount {
    const counted = ask(query);
    if (counted === undefined) throw new Error("a count has a row");
    return counted;
  }

  /** Few rows first: as a rule all that are walked over are active. */
  function walk(serviceId: number, query: AccessTokensQuery): { rows: WalkedToken[]; cut: boolean } {
    const { end, most } = query;
    for (const limit of [Math.min(end, most), most]) {
      const walked = ask(walkTokens(serviceId, query, limit + 1));
      const rows = walked.slice(0, limit);
      if (walked.length <= limit || limit === most || rows.every(({ isInForce }) => isInForce))
        return { rows, cut: walked.length > limit };
    }
    throw new Error("the last limit is always enough");
  }

  function listAccessTokens(serviceId: number, query: AccessTokensQuery): AccessTokens {
    const { start, end, most } = query;
    const { walked, found } = count(countWalked(serviceId, query, most + 1));
    const { rows, cut } = walk(serviceId, query);
    const inForce = rows.filter(({ isInForce }) => isInForce);
    const last = inForce.length > end ? inForce[end - 1] : cut ? rows.at(-1) : undefined;
    return {
      totalCount: Math.min(found, most),
      moreThanCounted: walked > most,
      tokens: inForce.slice(start, Math.max(start, end)).map(({ digest }) => readListed(serviceId, digest)),
      next: last && { expiresAt: last.expiresAt, createdAt: last.createdAt, digest: last.digest },
    };
  }

  function readListed(serviceId: number, digest: Uint8Array): ListedAccessToken {
    const token = ask(readListedToken(serviceId, digest));
    if (token === undefined) throw new Error("a token of the same snapshot is there");
    return token;
  }

  function countTokens(serviceId: number, query: TokenCountQuery): TokenCount {
    const rows = tokenCounts(serviceId, query).map(count);
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
