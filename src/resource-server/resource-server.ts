import { createIntrospectionCaller } from "../api-client/introspection-caller.ts";
import { optionError } from "../api-client/option-error.ts";
import type { CertificateOfConnection } from "../client-certificate/certificate-source.ts";
import type { AccessToken } from "./access-token.ts";
import type { Rememberable } from "./answer-memory.ts";
import { AccessTokenRefused } from "./access-token-refused.ts";
import type { Verdict } from "./decide.ts";
import { decideAtBackend } from "./decide-at-backend.ts";
import { decideInLibrary } from "./decide-in-library.ts";
import { readRequirement, type RouteRequirement } from "./read-requirement.ts";
import { createRememberedAnswers } from "./remembered-answers.ts";
import { type Clocks, type ResourceServerOptions, resolveOptions } from "./resource-server-options.ts";

/** One request: the token as it came, the connection's certificate, and what the route demands. */
export interface AuthorizeRequest {
  readonly token: string;
  /** From a certificate source or `readCertificate`; `undefined`: the connection has none. */
  readonly certificate: CertificateOfConnection;
  readonly requirement?: RouteRequirement | undefined;
  /** Ends this request's waiting, nobody else's. */
  readonly signal?: AbortSignal | undefined;
  /** Instead of the resource server's own. */
  readonly realm?: string | undefined;
}

export interface ResourceServer {
  /** The protection space that challenges name. */
  readonly realm: string | undefined;
  /**
   * Resolves to the token when it opens the resource.
   *
   * Rejects with {@link AccessTokenRefused}, with `IntrospectionUnavailable` or `IntrospectionMalformed` when nothing
   * could be found out, with the signal's reason, and with a `TypeError` for a wrong argument.
   */
  authorize(request: AuthorizeRequest): Promise<AccessToken>;
  /** Forgets all answers and closes the connections that it opened itself. */
  close(): Promise<void>;
}

/** RFC 6749 A.12 allows these characters; 16 KiB is far above any token in use. */
const token = /^[\x20-\x7e]{1,16384}$/;
const unknown: Verdict = { granted: false, code: "token_unknown", reason: "the token's text cannot be a token" };

/**
 * Opens a resource server with these clocks where the options name none; see `createResourceServer`.
 *
 * @example openResourceServer({ backend }, { clock: Date.now, monotonicClock: () => performance.now() })
 */
export function openResourceServer(options: ResourceServerOptions, clocks: Clocks): ResourceServer {
  const { decide: mode, realm, ownResources, warn, ...rest } = resolveOptions(options, clocks);
  const { backend, closeBackend } = connect(options.backend);
  const endings: (() => void)[] = [];
  let warned = false;

  const decide = (mode === "backend" ? decideAtBackend : decideInLibrary)({
    backend,
    remembered<Answer extends Rememberable>() {
      const answers = createRememberedAnswers<Answer>(rest);
      endings.push(answers.close);
      return answers;
    },
    clock: rest.clock,
    ownResources,
    audienceUnchecked() {
      if (warned) return;
      warned = true;
      warn({
        code: "CERTBOUND_AUDIENCE_UNCHECKED",
        message:
          "A token names the APIs that it is meant for (aud), and this resource server does not know its own name: " +
          "tokens meant for others are let in. Set the option `resource`.",
      });
    },
  });

  return {
    realm,
    async authorize(request) {
      const { certificate, signal } = request;
      signal?.throwIfAborted();
      if (typeof request.token !== "string") throw optionError("token", "must be text");
      const requirement = readRequirement(request.requirement);
      const verdict = token.test(request.token)
        ? await decide({ token: request.token, certificate, requirement, signal })
        : unknown;
      if (verdict.granted) return verdict.accessToken;
      const { code, reason } = verdict;
      throw new AccessTokenRefused(code, { realm: request.realm ?? realm, scopes: requirement.scopes, reason });
    },
    async close() {
      for (const end of endings) end();
      await closeBackend();
    },
  };
}

function connect(backend: ResourceServerOptions["backend"]) {
  if ("authIntrospectionStandard" in backend) return { backend, closeBackend: () => Promise.resolve() };
  const caller = createIntrospectionCaller(backend);
  return { backend: caller, closeBackend: () => caller.close() };
}
