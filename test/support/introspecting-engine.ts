import { createLifetime } from "../proxies/foreground-process.ts";
import { createEngineByHand } from "./engine.ts";
import { clientSettings, serviceSettings } from "./settings.ts";

/** The real engine, asked about tokens of which a test wrote the facts. */
export interface IntrospectingEngine {
  /** Decides over the token with these RFC 7662 facts; `undefined`: over an unknown token. */
  introspect(facts: Facts | undefined, question: Readonly<Record<string, unknown>>): Promise<unknown>;
  close(): Promise<void>;
}

type Facts = Readonly<Record<string, unknown>>;

/** The facts that become a token. */
interface TokenFacts {
  readonly sub: string;
  readonly scope?: string;
  /** Seconds since 1970. */
  readonly exp: number;
  readonly aud?: string | readonly string[];
  readonly cnf?: { readonly "x5t#S256": string };
}

const settings = serviceSettings({
  supportedGrantTypes: ["AUTHORIZATION_CODE", "CLIENT_CREDENTIALS"],
  supportedScopes: [{ name: "read" }, { name: "admin" }, { name: "pay" }],
});
const clients = [clientSettings({ clientId: 4711, tlsClientCertificateBoundAccessTokens: false })];
const duration = 3600;

/** Opens it over a store in memory. */
export async function openIntrospectingEngine(): Promise<IntrospectingEngine> {
  const lifetime = createLifetime();
  const { operations, setClock } = await createEngineByHand(lifetime, [{ settings, clients }]);
  const api = operations();
  const made = new Map<Facts, string>();
  let last: Promise<unknown> = Promise.resolve();

  async function make(facts: Facts): Promise<string> {
    const { sub, scope, exp, aud, cnf } = facts as unknown as TokenFacts;
    // A token may have expired when it is asked about.
    setClock((exp - duration) * 1000);
    const { accessToken, resultMessage } = await api.authTokenCreate({
      grantType: "AUTHORIZATION_CODE",
      clientId: 4711,
      subject: sub,
      scopes: scope?.split(" "),
      accessTokenDuration: duration,
      certificateThumbprint: cnf?.["x5t#S256"],
      resources: aud === undefined ? [] : [aud].flat(),
    });
    if (accessToken === undefined) throw new Error(`The engine made no token of these facts: ${resultMessage}`);
    made.set(facts, accessToken);
    return accessToken;
  }

  return {
    introspect(facts, question) {
      // One at a time: the clock is another while a token is made.
      const answer = last.then(async () => {
        const token = facts && (made.get(facts) ?? (await make(facts)));
        setClock(Date.now());
        return api.authIntrospection({ ...question, token: token ?? "unknown" });
      });
      last = answer.catch(() => undefined);
      return answer;
    },
    close: () => lifetime.end(),
  };
}
