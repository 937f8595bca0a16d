import { inspect } from "node:util";
import test, { type ExecutionContext } from "ava";
import type { IntrospectionOperations } from "../../../src/api-client/introspection-caller.ts";
import { authorizeRequest } from "../../../src/resource-server/middleware/authorize-request.ts";
import { refusalAnswer } from "../../../src/resource-server/middleware/http-answer.ts";
import type { DecisionEvent } from "../../../src/resource-server/observers/decision-events.ts";
import {
  type AccessTokenRefusalCode,
  AccessTokenRefused,
} from "../../../src/resource-server/refusal/access-token-refused.ts";
import { type Diagnosis, oneLine, evidenceOf } from "../../../src/resource-server/refusal/diagnosis.ts";
import {
  IntrospectionMalformed,
  IntrospectionUnavailable,
} from "../../../src/resource-server/refusal/introspection-unavailable.ts";
import type { AuthorizeRequest } from "../../../src/resource-server/resource-server.ts";
import { readCertificate } from "../../../src/x509/read-certificate.ts";
import { createSelfSigned } from "../../support/certificates.ts";
import {
  boundFacts,
  certificate,
  createScripted,
  createScriptedBackend,
  otherX5tS256,
  start,
  x5tS256,
} from "../../support/scripted-backend.ts";

const now = start / 1000;
const issuer = "https://as.example.com";

type Told = Pick<Diagnosis, "check" | "expected" | "found">;

/** What makes a request fail in this way, and what its operator is told of it. */
interface Case {
  /** The answer about the token; `null`: it is not known. */
  readonly facts: Record<string, unknown> | null;
  readonly request?: Partial<AuthorizeRequest>;
  /** Instead of `token`, how the request carries it. */
  readonly authorization?: readonly string[];
  /** The backend decides, with this result code. */
  readonly backendSays?: string;
  readonly told: Told;
}

/** Every code there is: a new one does not compile until it says what it tells. */
const cases: Record<AccessTokenRefusalCode, Case> = {
  credentials_missing: {
    facts: boundFacts(),
    authorization: [],
    told: { check: "credentials", expected: undefined, found: undefined },
  },
  request_malformed: {
    facts: boundFacts(),
    authorization: ["Authorization", "Bearer a b"],
    told: { check: "credentials", expected: undefined, found: undefined },
  },
  token_unknown: { facts: null, told: { check: "active", expected: undefined, found: undefined } },
  client_locked: {
    facts: null,
    backendSays: "A097303",
    request: { certificate: undefined },
    told: { check: "active", expected: undefined, found: undefined },
  },
  token_expired: {
    facts: boundFacts({ exp: now - 5 }),
    told: { check: "time", expected: `exp after ${now}`, found: String(now - 5) },
  },
  token_not_yet_valid: {
    facts: boundFacts({ nbf: now + 60 }),
    told: { check: "time", expected: `nbf until ${now}`, found: String(now + 60) },
  },
  certificate_unreadable: {
    facts: boundFacts(),
    request: { certificate: { unreadable: "two_certificates" } },
    told: { check: "certificate", expected: x5tS256, found: "two_certificates" },
  },
  certificate_missing: {
    facts: boundFacts(),
    request: { certificate: undefined },
    told: { check: "confirmation", expected: x5tS256, found: "no certificate" },
  },
  certificate_mismatch: {
    facts: boundFacts(),
    request: { certificate: { x5tS256: otherX5tS256 } },
    told: { check: "confirmation", expected: x5tS256, found: otherX5tS256 },
  },
  confirmation_malformed: {
    facts: boundFacts({ cnf: { "x5t#S256": "short" } }),
    told: { check: "confirmation", expected: "cnf x5t#S256", found: "a malformed cnf" },
  },
  confirmation_unsupported: {
    facts: boundFacts({ cnf: { jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } }),
    told: { check: "confirmation", expected: "cnf x5t#S256", found: "cnf jkt" },
  },
  token_unbound: {
    facts: boundFacts({ cnf: undefined }),
    told: { check: "confirmation", expected: "cnf x5t#S256", found: "no cnf" },
  },
  audience_mismatch: {
    facts: boundFacts({ aud: ["https://a.example", "https://b.example"] }),
    request: { requirement: { resources: ["https://b.example", "https://c.example"] } },
    told: {
      check: "audience",
      expected: "https://b.example https://c.example",
      found: "https://b.example https://a.example",
    },
  },
  subject_missing: {
    facts: boundFacts({ sub: undefined }),
    request: { requirement: { subject: "alice@example.com" } },
    told: { check: "subject", expected: "a certain subject", found: "no subject" },
  },
  subject_mismatch: {
    facts: boundFacts({ sub: "mallory@example.com" }),
    request: { requirement: { subject: "alice@example.com" } },
    told: { check: "subject", expected: "a certain subject", found: "another subject" },
  },
  scope_insufficient: {
    facts: boundFacts(),
    request: { requirement: { scopes: ["pay", "write"] } },
    told: { check: "scope", expected: "pay write", found: "write read" },
  },
};

const token = "5ecret-access-t0ken";

async function refusalIn({ facts, request = {}, authorization, backendSays }: Case) {
  const events: DecisionEvent[] = [];
  const backend = createScriptedBackend();
  const deciding: IntrospectionOperations = {
    ...backend,
    authIntrospection: () =>
      Promise.resolve({ action: "UNAUTHORIZED", resultCode: backendSays ?? "", resultMessage: "No." }),
  };
  const { resourceServer } = createScripted({
    issuer,
    onDecision: (event) => events.push(event),
    ...(backendSays === undefined ? { backend } : { backend: deciding, decide: "backend" as const }),
  });
  if (facts !== null) backend.tokens.set(token, facts);
  const admission = await authorizeRequest(
    resourceServer,
    { rawHeaders: authorization ?? ["authorization", `Bearer ${token}`] },
    {
      certificate: () => ("certificate" in request ? request.certificate : certificate),
      requirement: request.requirement,
    },
  );
  return { admission, events };
}

for (const [code, one] of Object.entries(cases) as [AccessTokenRefusalCode, Case][]) {
  test(`${code}: the operator gets what was expected and found, the caller does not`, async (t) => {
    const { admission, events } = await refusalIn(one);
    if (admission.granted || !(admission.refusal instanceof AccessTokenRefused)) return t.fail("it was not refused");
    const { refusal } = admission;
    const { reason } = refusal;
    t.deepEqual(refusal.diagnosis, { ...one.told, code, issuer, reason });
    t.true(Object.isFrozen(refusal.diagnosis));
    t.is(events.length, 1);
    t.like(events[0], { outcome: "refused", code, issuer, diagnosis: refusal.diagnosis, bindingLost: false });

    const sent = JSON.stringify([refusalAnswer(refusal), refusal.challenge]);
    for (const text of [one.told.expected, one.told.found, issuer, reason]) {
      if (text !== undefined && code !== "scope_insufficient") t.false(sent.includes(text), text);
    }
    const shown = shownOf(refusal) + shownOf(refusal.diagnosis) + shownOf(events[0]);
    t.true(JSON.stringify(refusal).includes(JSON.stringify(refusal.diagnosis)), "a logger sees the diagnosis");
    t.notRegex(shown, /5ecret-access-t0ken|alice@|mallory@/);
    return undefined;
  });
}

test("with decide: backend the refusal has the facts known here", async (t) => {
  const own = readCertificate(createSelfSigned({ subject: "CN=a" }).pem);
  const told = async (resultCode: string, requirement = {}) => {
    const backend: IntrospectionOperations = {
      ...createScriptedBackend(),
      authIntrospection: () => Promise.resolve({ action: "UNAUTHORIZED", resultCode, resultMessage: "No." }),
    };
    const { authorize } = createScripted({ backend, decide: "backend" });
    return (await refusalOf(t, authorize(token, { certificate: own, requirement }))).diagnosis;
  };
  t.like(await told("A065305"), { check: "confirmation", expected: undefined, found: own.x5tS256 });
  const resources = ["https://c.example"];
  t.like(await told("A064303", { resources }), { check: "audience", expected: resources[0], found: undefined });
  t.like(await told("A057302"), { check: "active", reason: "the backend refused: A057302" });
});

test("a text that cannot be a token and one that belongs to no issuer have different diagnoses", async (t) => {
  const named = (name: string) => ({ issuer: name, backend: createScriptedBackend() });
  const source = (name: string) => ({
    issuer: name,
    source: { claims: () => false, ask: () => Promise.reject(new Error("asked")), close: () => Promise.resolve() },
  });
  const one = createScripted();
  t.like((await refusalOf(t, one.authorize("naïve"))).diagnosis, { check: "credentials", code: "token_unknown" });
  const both = createScripted({
    backend: undefined,
    timeout: undefined,
    issuers: [source("https://a"), source("https://b")],
  } as never);
  const { diagnosis } = await refusalOf(t, both.authorize(token));
  t.like(diagnosis, { check: "issuer", code: "token_unknown", issuer: undefined, expected: "https://a https://b" });
  const two = createScripted({
    backend: undefined,
    timeout: undefined,
    issuers: [named("https://a"), named("https://b")],
  } as never);
  t.like((await refusalOf(t, two.authorize(token, { issuer: "https://b" }))).diagnosis, { issuer: "https://b" });
});

test("an outage and a malformed answer have a diagnosis with the issuer, for everyone who waited", async (t) => {
  const { backend, authorize } = createScripted({ issuer });
  backend.before = () => {
    throw new Error("down");
  };
  for (const error of await Promise.all(
    [1, 2, 3].map(() => t.throwsAsync(authorize(token), { instanceOf: IntrospectionUnavailable })),
  )) {
    t.deepEqual(error.diagnosis, {
      check: "introspection",
      code: "introspection_unavailable",
      issuer,
      expected: undefined,
      found: undefined,
      reason: "the backend failed",
    });
  }
  backend.before = undefined;
  backend.tokens.set(token, { active: "yes" });
  const malformed = await t.throwsAsync(authorize(token), { instanceOf: IntrospectionMalformed });
  t.like(malformed.diagnosis, { check: "introspection", code: "introspection_malformed", issuer });
});

test("a diagnosis is bounded, whatever the token contains, and keeps the important names", async (t) => {
  const { backend, authorize } = createScripted();
  const many = Array.from({ length: 5000 }, (_, n) => `scope-${n}`);
  const long = "x".repeat(5000);
  const aud = [...many, long, "line\nbreak\u2028\u0000", "https://a.example"];
  backend.tokens.set(token, boundFacts({ scope: [...many, "read"].join(" "), aud }));
  const scopes = (await refusalOf(t, authorize(token, { requirement: { scopes: ["read", "pay"] } }))).diagnosis;
  t.is(scopes.expected, "read pay");
  t.regex(scopes.found ?? "", /^read scope-0 scope-1 .* \(and 4981 more\)$/);
  const resources = ["https://a.example", "https://b.example"];
  const { diagnosis } = await refusalOf(t, authorize(token, { requirement: { resources } }));
  t.regex(diagnosis.found ?? "", /^https:\/\/a\.example scope-0 .* \(and 4983 more\)$/);
  backend.tokens.set("odd", boundFacts({ aud: aud.slice(-3, -1) }));
  const odd = (await refusalOf(t, authorize("odd", { requirement: { resources: ["https://b.example"] } }))).diagnosis;
  t.is(odd.found, `${"x".repeat(99)}… line?break??`);
  backend.tokens.set("bare", boundFacts({ scope: "" }));
  const bare = (await refusalOf(t, authorize("bare", { requirement: { scopes: ["read"] } }))).diagnosis;
  t.is(bare.found, "none");
});

test("a source's words about an unreadable certificate are bounded, and never the certificate", (t) => {
  const { pem } = createSelfSigned({ subject: "CN=a" });
  const found = (unreadable: string) =>
    evidenceOf("certificate_unreadable", {
      facts: undefined,
      requirement: { binding: "required" },
      presented: { unreadable },
      now: start,
    }).found;
  t.is(found("not_der"), "not_der");
  t.is(found(pem), "unreadable");
  t.is(found("no ".repeat(100)), `${"no ".repeat(33)}…`);
  t.is(oneLine("two\r\nlines", 100), "two??lines");
});

test("no error and no event shows the token or the certificate, whoever decides and however it is printed", async (t) => {
  const { pem, x5tS256: own } = createSelfSigned({ subject: "CN=a" });
  const read = readCertificate(pem);
  const raw = Buffer.from(read.raw);
  for (const decide of ["library", "backend"] as const) {
    const events: DecisionEvent[] = [];
    const backend = createScriptedBackend();
    // Some servers echo what they were asked about; the caller's personal data is in the facts anyway.
    const facts = boundFacts({ cnf: { "x5t#S256": own }, sub: "alice@example.com", access_token: token });
    backend.tokens.set(token, facts);
    const deciding: IntrospectionOperations = {
      ...backend,
      authIntrospection: ({ scopes }) =>
        Promise.resolve({
          action: scopes ? "FORBIDDEN" : "OK",
          resultCode: scopes ? "A065303" : "A056001",
          resultMessage: token,
          certificateThumbprint: own,
          subject: "alice@example.com",
        }),
    };
    const { authorize } = createScripted({ backend: deciding, decide, onDecision: (event) => events.push(event) });
    await authorize(token, { certificate: read });
    const refused = await refusalOf(t, authorize(token, { certificate: read, requirement: { scopes: ["admin"] } }));
    t.is(events.length, 2);
    t.is(events[0]?.accessToken?.sub, "alice@example.com", "on purpose it can be had");
    for (const one of [...events, refused, refused.diagnosis]) {
      const shown = shownOf(one);
      t.notRegex(shown, /5ecret-access-t0ken|alice@example/);
      for (const secret of [pem.slice(30, 90), raw.toString("base64").slice(0, 40), raw.toString("hex").slice(0, 40)]) {
        t.false(shown.includes(secret));
      }
    }
  }
});

function shownOf(value: unknown): string {
  return (
    JSON.stringify(value) +
    inspect(value, { depth: Infinity, showHidden: true }) +
    (value instanceof Error ? String(value.stack) : "")
  );
}

function refusalOf(t: ExecutionContext, call: Promise<unknown>): Promise<AccessTokenRefused> {
  return t.throwsAsync(call, { instanceOf: AccessTokenRefused });
}
