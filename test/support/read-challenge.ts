/** One challenge of a WWW-Authenticate value; names in lower case. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const scheme = /[A-Za-z0-9!#$%&'*+.^_`|~-]+/y;
const nothingFollows = /(?=, |$)/y;
const parameter =
  /([A-Za-z0-9!#$%&'*+.^_`|~-]+)=(?:([A-Za-z0-9!#$%&'*+.^_`|~-]+)|"((?:[\t \x21\x23-\x5B\x5D-\x7E]|\\[\t \x21-\x7E])*)")/y;

/**
 * Reads a WWW-Authenticate value as a sender has to write it (RFC 9110 §11.6.1), and stricter where a sender has a
 * choice: ASCII only, a comma and one blank between elements, no attribute twice. Throws at the first thing else.
 *
 * @example readChallenges('Bearer realm="a"')[0]?.parameters.get("realm") // "a"
 */
export function readChallenges(value: string): readonly Challenge[] {
  const challenges: Challenge[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(value);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };
  const demand = (pattern: RegExp, what: string): RegExpExecArray => {
    const found = take(pattern);
    if (found === null) throw new SyntaxError(`expected ${what} at ${at} of ${JSON.stringify(value)}`);
    return found;
  };
  do {
    const parameters = new Map<string, string>();
    challenges.push({ scheme: demand(scheme, "a scheme")[0].toLowerCase(), parameters });
    if (take(nothingFollows) !== null) continue;
    demand(/ /y, "a blank");
    do {
      const [, name = "", token, quoted = ""] = demand(parameter, "an attribute");
      if (parameters.has(name.toLowerCase())) throw new SyntaxError(`${name} twice in ${JSON.stringify(value)}`);
      parameters.set(name.toLowerCase(), token ?? quoted.replaceAll(/\\(.)/g, "$1"));
    } while (take(/, (?=[^ ,=]+=)/y) !== null);
  } while (take(/, /y) !== null);
  if (at !== value.length) throw new SyntaxError(`unexpected text at ${at} of ${JSON.stringify(value)}`);
  return challenges;
}

/**
 * Reads a value that must be one challenge; see {@link readChallenges}.
 *
 * @example readChallenge('Bearer error="invalid_token"').parameters.get("error") // "invalid_token"
 */
export function readChallenge(value: string): Challenge {
  const [challenge, ...others] = readChallenges(value);
  if (challenge === undefined || others.length > 0)
    throw new SyntaxError(`not one challenge: ${JSON.stringify(value)}`);
  return challenge;
}
