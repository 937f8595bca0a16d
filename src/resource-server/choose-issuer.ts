import { readCompactJwt } from "../oauth/compact-jwt.ts";
import { optionError } from "../options/option-error.ts";
import { disown } from "../serving/call-harmlessly.ts";
import type { Issuer } from "./issuer.ts";

/** Which issuer is asked about a token; `undefined`: none of them can be the token's. */
export type ChooseIssuer = (token: string, named: string | undefined) => Issuer | undefined;

/**
 * Tells issuers apart by configuration: the one that the route names; else the one whose sign the token bears, which
 * that issuer then has to prove; else the only one whose tokens bear none. What no rule decides is a wrong program.
 *
 * Among several, a JWT that names its issuer is shown to no other one: it could be used there by whoever sees it.
 *
 * Throws a `TypeError` with a `code` for a name that there is not, and when the route has to name one and does not.
 *
 * @example chooseAmong(issuers)(token, "https://as.example.com")
 */
export function chooseAmong(issuers: readonly Issuer[]): ChooseIssuer {
  const byName = new Map(issuers.map((issuer) => [issuer.name, issuer]));
  const marked = issuers.filter(({ claims }) => claims !== undefined);
  const unmarked = issuers.filter(({ claims }) => claims === undefined);
  const [only] = issuers;
  return (token, named) => {
    if (named !== undefined) {
      const issuer = byName.get(named);
      if (issuer === undefined) throw optionError("issuer", "is none of the resource server's");
      return issuers.length === 1 || mayBeOf(issuer, token) ? issuer : undefined;
    }
    if (issuers.length === 1) return only;
    const claiming = marked.find(({ claims }) => claims !== undefined && isClaimed(claims, token));
    if (claiming !== undefined) return claiming;
    if (unmarked.length > 1)
      throw optionError("issuer", "must be named: several issuers have tokens that bear no sign");
    const [rest] = unmarked;
    return rest !== undefined && mayBeOf(rest, token) ? rest : undefined;
  };
}

/** A claim can only exclude: what bears no issuer's name may be anybody's. */
function mayBeOf({ name, claims }: Issuer, token: string): boolean {
  if (claims !== undefined) return isClaimed(claims, token);
  const iss = readCompactJwt(token)?.payload["iss"];
  return iss === undefined || iss === name;
}

/** Only `true` counts: a promise does not, so that a token is not sent to an issuer by mistake. */
function isClaimed(claims: (token: string) => boolean, token: string): boolean {
  const claimed: unknown = disown(claims(token));
  return claimed === true;
}
