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

/** Anything else in `facts` would be a demand or a limit that nobody looks at: `expiresAt`, `scope`, `cnf`, …. */
const factNames: ReadonlySet<string> = new Set(["active", "exp", "nbf", "sub", "scopes", "audience", "confirmation"]);
/** Between 1973 and 5138 in milliseconds: what lies outside is in another unit. */
const [earliest, latest] = [100_000_000_000, 100_000_000_000_000];

/**
 * A source whose answers are checked as strictly as what a server answers, whoever wrote it: `ask` rejects with
 * `IntrospectionMalformed`, naming the member, for whatever is not of the declared type.
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

/** Whoever cannot say whose a token is has found out nothing about it. */
function claims(source: FactsSource, token: string): boolean {
  try {
    return (disown(source.claims?.(token)) as unknown) === true;
  } catch (cause) {
    throw new IntrospectionUnavailable("the source could not say whether the token is its own", { cause });
  }
}

/**
 * Checks what a source has answered; the result is a frozen copy.
 *
 * What its claims say of the token's kind and binding counts like what an introspection answer says: another kind of
 * token is inactive, and a binding that is stated there binds. Throws `IntrospectionMalformed`.
 *
 * @example readFactsAnswer({ record, invalidationKeys: [], size: 200, reusable: true })
 */
function readFactsAnswer(answer: unknown): FactsAnswer {
  const { record, invalidationKeys, size, reusable, answeredAt } = objectMember("the source's answer", answer);
  if (typeof size !== "number" || !(size >= 0)) throw wrong("size", "is no number of octets");
  if (typeof reusable !== "boolean") throw wrong("reusable", "is neither true nor false");
  const isInstant = typeof answeredAt === "number" && answeredAt > earliest && answeredAt < latest;
  if (answeredAt !== undefined && !isInstant) throw wrong("answeredAt", "is no number of milliseconds since 1970");
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
  if (record["accessToken"] !== undefined) throw wrong("accessToken", "stands beside facts that are not active");
  const { cause } = facts;
  if (cause !== "unknown" && cause !== "client_locked") throw wrong("facts.cause", "is none that there is");
  const reason = textOrNone("reason", record["reason"]);
  return freezeDeeply({ facts: { active: false, cause }, ...(reason !== undefined && { reason }) });
}

function readActive(record: Members, given: Members): TokenRecord {
  for (const name of Object.keys(given)) if (!factNames.has(name)) throw wrong(`facts.${name}`, "is no fact");
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
    // The API would see another token than the one that was decided about.
    if (!isSame(told[name], facts[name])) throw wrong(`accessToken.${name}`, "is not that of the facts");
  }
  const thumbprint = own.kind === "certificate" ? own.x5tS256 : undefined;
  if (told["x5tS256"] !== thumbprint) throw wrong("accessToken.x5tS256", "is not that of facts.confirmation");
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
      if (typeof member !== "string") throw wrong("facts.confirmation.member", "is no text");
      return { kind, member };
    case "certificate":
      if (!isThumbprint(x5tS256)) throw wrong("facts.confirmation.x5tS256", "is no SHA-256 thumbprint in base64url");
      return { kind, x5tS256 };
    default:
      throw wrong("facts.confirmation.kind", "is none of certificate, none, unsupported, malformed");
  }
}

function isSame(one: unknown, other: string | readonly string[] | undefined): boolean {
  if (!Array.isArray(other)) return one === other;
  return Array.isArray(one) && one.length === other.length && one.every((value, at) => value === other[at]);
}

/**
 * Reads what is said of a token under the names of RFC 7662 §2.2 (`active`, `scope`, `exp`, `aud`, `cnf`, …) as strictly
 * as an introspection answer: for a {@link FactsSource} of your own.
 *
 * `exp`, `iat` and `nbf` are seconds since 1970. The value is copied, the result frozen. Throws `IntrospectionMalformed`,
 * which names the member, and a `TypeError` with a `code` for an unknown dialect.
 *
 * @example readTokenFacts({ active: true, scope: "read", exp: 1900000000, cnf: { "x5t#S256": thumbprint } })
 */
export function readTokenFacts(said: unknown, dialect?: DialectName | Partial<Tolerances>): TokenRecord {
  return readIntrospection(plainCopy("it", said), readDialect(dialect));
}

const longestPath = 80;

/**
 * A copy of a value of plain objects, arrays, texts, numbers, booleans and nothing: what a source keeps, and a getter
 * that answers otherwise the next time, cannot change it. Iterative, since depth is the sender's choice.
 *
 * What `isOurs` calls ours (frozen, plain) is not copied. Throws {@link IntrospectionMalformed}, naming the member, for
 * anything else: a `Map` that is frozen can still be changed, and a `Date` is no instant in seconds.
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
      // Not by assignment: `__proto__` is a name like any other.
      const member = { value: copyOf(path, inner), enumerable: true, writable: true, configurable: true };
      Object.defineProperty(next.to, key, member);
    }
  }
  return copy;
}

function notPlain(path: string): IntrospectionMalformed {
  return new IntrospectionMalformed(`${path} is no plain object, array, text, number or boolean`);
}
