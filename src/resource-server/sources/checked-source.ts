import { bothConfirmations, type Confirmation, isThumbprint } from "../../oauth/confirmation.ts";
import { disown } from "../../serving/call-harmlessly.ts";
import { freezeDeeply } from "../decision/access-token.ts";
import { IntrospectionUnavailable, IntrospectionMalformed } from "../refusal/introspection-unavailable.ts";
import { readBinding } from "./answered-binding.ts";
import {
  instantOrNone,
  nameList,
  objectMember,
  scopeList,
  textOrNone,
  wrongMember as wrong,
} from "./checked-members.ts";
import { type DialectName, exact, readDialect, type Tolerances } from "./dialects.ts";
import { type FactsAnswer, type FactsSource, issuerInTokens } from "./facts-source.ts";
import { inactiveBecause, isComplete, isJudged, readIntrospection, type TokenRecord } from "./introspection-answer.ts";
import { kindDefect } from "./token-kind.ts";

type Members = Readonly<Record<string, unknown>>;

/** Any other member of `facts` would be a restriction that is ignored: `expiresAt`, `scope`, `cnf`, …. */
const factNames: ReadonlySet<string> = new Set(["active", "exp", "nbf", "sub", "scopes", "audience", "confirmation"]);
/** From 1973 to 5138 in milliseconds: a value outside is in another unit. */
const [earliest, latest] = [100_000_000_000, 100_000_000_000_000];

/**
 * Checks the answers of any source as strictly as those of a server: `ask` rejects with `IntrospectionMalformed`, which
 * names the member, for a value that is not of the declared type.
 *
 * @example checkedSource(options.source).ask(token, { signal })
 */
export function checkedSource(source: FactsSource): FactsSource {
  const checked: FactsSource = {
    issuer: source.issuer,
    checksAudience: source.checksAudience === true,
    events: source.events?.bind(source),
    ...(source.claims !== undefined && { claims: (token: string) => claims(source, token) }),
    ask: async (token, how) => readFactsAnswer(await source.ask(token, how)),
    close: () => source.close(),
  };
  const named = issuerInTokens.get(source);
  if (named !== undefined) issuerInTokens.set(checked, named);
  return checked;
}

/** A source that fails here has said nothing about the token. */
function claims(source: FactsSource, token: string): boolean {
  try {
    return (disown(source.claims?.(token)) as unknown) === true;
  } catch (cause) {
    throw new IntrospectionUnavailable("the source could not say whether the token is its own", { cause });
  }
}

/**
 * Checks the answer of a source; the result is a frozen copy.
 *
 * Applies the rules of introspection answers to the kind and the binding in its claims: another kind of token is
 * inactive, and a binding stated there counts. Throws `IntrospectionMalformed`.
 *
 * @example readFactsAnswer({ record, invalidationKeys: [], size: 200, reusable: true })
 */
function readFactsAnswer(answer: unknown): FactsAnswer {
  const { record, invalidationKeys, size, reusable, answeredAt } = objectMember("the source's answer", answer);
  if (typeof size !== "number" || !(size >= 0)) throw wrong("size", "is not a number of octets");
  if (typeof reusable !== "boolean") throw wrong("reusable", "is neither true nor false");
  const isInstant = typeof answeredAt === "number" && answeredAt > earliest && answeredAt < latest;
  if (answeredAt !== undefined && !isInstant) throw wrong("answeredAt", "is not a number of milliseconds since 1970");
  return {
    record: isComplete(record) ? record : readRecord(objectMember("record", plainCopy("record", record, isJudged))),
    invalidationKeys: [...nameList("invalidationKeys", invalidationKeys)],
    size,
    reusable,
    answeredAt,
  };
}

function readRecord(record: Members): TokenRecord {
  const facts = objectMember("facts", record["facts"]);
  if (facts["active"] === true) return readActive(record, facts);
  if (facts["active"] !== false) throw wrong("facts.active", "is neither true nor false");
  if (record["accessToken"] !== undefined) throw wrong("accessToken", "is present although the facts are not active");
  const { cause } = facts;
  if (cause !== "unknown" && cause !== "client_locked") throw wrong("facts.cause", "is unknown");
  const reason = textOrNone("reason", record["reason"]);
  return freezeDeeply({ facts: { active: false, cause }, ...(reason !== undefined && { reason }) });
}

function readActive(record: Members, given: Members): TokenRecord {
  for (const name of Object.keys(given)) if (!factNames.has(name)) throw wrong(`facts.${name}`, "is not a fact");
  const told = objectMember("accessToken", record["accessToken"]);
  const said = objectMember("accessToken.claims", told["claims"]);
  const facts = {
    active: true,
    exp: instantOrNone("facts.exp", given["exp"]),
    nbf: instantOrNone("facts.nbf", given["nbf"]),
    sub: textOrNone("facts.sub", given["sub"]),
    scopes: scopeList("facts.scopes", given["scopes"]),
    audience: nameList("facts.audience", given["audience"]),
  } as const;
  const own = readConfirmationKind(objectMember("facts.confirmation", given["confirmation"]));
  const tokenType = textOrNone("accessToken.tokenType", told["tokenType"]);
  const judged = isJudged(said);
  const defect = judged ? undefined : (kindDefect(said, exact) ?? kindDefect({ token_type: tokenType }, exact));
  if (defect !== undefined) return inactiveBecause(`it is not an access token: ${defect}`);
  const stated = judged ? undefined : readBinding(said, facts.scopes, exact);
  const confirmation = stated === undefined ? own : bothConfirmations(own, stated.confirmation);
  if (told["active"] !== true) throw wrong("accessToken.active", "is not true");
  for (const name of ["sub", "scopes", "audience"] as const) {
    // Otherwise the API would get another token than the one that was checked.
    if (!isSame(told[name], facts[name])) throw wrong(`accessToken.${name}`, "differs from the facts");
  }
  const thumbprint = own.kind === "certificate" ? own.x5tS256 : undefined;
  if (told["x5tS256"] !== thumbprint) throw wrong("accessToken.x5tS256", "differs from facts.confirmation");
  const remark = textOrNone("remark", record["remark"]) ?? stated?.remark;
  return freezeDeeply({
    facts: { ...facts, confirmation },
    accessToken: {
      active: true,
      sub: facts.sub,
      scopes: facts.scopes,
      audience: facts.audience,
      issuer: textOrNone("accessToken.issuer", told["issuer"]),
      clientId: textOrNone("accessToken.clientId", told["clientId"]),
      exp: instantOrNone("accessToken.exp", told["exp"]),
      iat: instantOrNone("accessToken.iat", told["iat"]),
      nbf: instantOrNone("accessToken.nbf", told["nbf"]),
      tokenType,
      x5tS256: confirmation.kind === "certificate" ? confirmation.x5tS256 : undefined,
      claims: said,
    },
    ...(remark !== undefined && { remark }),
  });
}

function readConfirmationKind({ kind, x5tS256, member }: Members): Confirmation {
  switch (kind) {
    case "none":
    case "malformed":
      return { kind };
    case "unsupported":
      if (typeof member !== "string") throw wrong("facts.confirmation.member", "is not a string");
      return { kind, member };
    case "certificate":
      if (!isThumbprint(x5tS256)) throw wrong("facts.confirmation.x5tS256", "is not a SHA-256 thumbprint in base64url");
      return { kind, x5tS256 };
    default:
      throw wrong("facts.confirmation.kind", "is not one of certificate, none, unsupported, malformed");
  }
}

function isSame(one: unknown, other: string | readonly string[] | undefined): boolean {
  if (!Array.isArray(other)) return one === other;
  return Array.isArray(one) && one.length === other.length && one.every((value, at) => value === other[at]);
}

/**
 * Reads the facts of a token under the names of RFC 7662 §2.2 (`active`, `scope`, `exp`, `aud`, `cnf`, …) as strictly
 * as an introspection answer; for your own {@link FactsSource}.
 *
 * `exp`, `iat` and `nbf` are seconds since 1970. Copies the value and freezes the result. Throws
 * `IntrospectionMalformed`, which names the member, and a `TypeError` with a `code` for an unknown dialect.
 *
 * @example readTokenFacts({ active: true, scope: "read", exp: 1900000000, cnf: { "x5t#S256": thumbprint } })
 */
export function readTokenFacts(said: unknown, dialect?: DialectName | Partial<Tolerances>): TokenRecord {
  return readIntrospection(plainCopy("it", said), readDialect(dialect));
}

const longestPath = 80;

/**
 * Copies a value of plain objects, arrays, strings, numbers, booleans, null and undefined, so that neither the source
 * nor a getter can change it later. Iterative, because the sender chooses the depth.
 *
 * Does not copy objects for which `isOurs` returns true (frozen and plain). Throws {@link IntrospectionMalformed},
 * which names the member, for any other value: a frozen `Map` can still be changed, and a `Date` is not an instant in
 * seconds.
 *
 * @example plainCopy("record", record, (value) => judged.has(value))
 */
function plainCopy(name: string, value: unknown, isOurs: (value: object) => boolean = () => false): unknown {
  const copies = new Map<object, object>();
  const open: { readonly from: object; readonly to: object; readonly path: string }[] = [];

  function copyOf(path: string, one: unknown): unknown {
    if (typeof one !== "object" || one === null) {
      if (["function", "symbol", "bigint"].includes(typeof one)) throw notPlain(path);
      return one;
    }
    if (isOurs(one)) return one;
    const known = copies.get(one);
    if (known !== undefined) return known;
    const prototype: unknown = Object.getPrototypeOf(one);
    if (!Array.isArray(one) && prototype !== Object.prototype && prototype !== null) throw notPlain(path);
    const to: object = Array.isArray(one) ? [] : {};
    copies.set(one, to);
    open.push({ from: one, to, path });
    return to;
  }

  const copy = copyOf(name, value);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const [key, inner] of Object.entries(next.from)) {
      const path = `${next.path}.${key}`.slice(0, longestPath);
      // Not by assignment, because a member may be called `__proto__`.
      const member = { value: copyOf(path, inner), enumerable: true, writable: true, configurable: true };
      Object.defineProperty(next.to, key, member);
    }
  }
  return copy;
}

function notPlain(path: string): IntrospectionMalformed {
  return new IntrospectionMalformed(`${path} is not a plain object, array, string, number or boolean`);
}
