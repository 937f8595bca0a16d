import test, { type ExecutionContext } from "ava";
import type { IntrospectionOperations } from "../../../src/api-client/introspection-caller.ts";
import { AccessTokenRefused } from "../../../src/resource-server/refusal/access-token-refused.ts";
import { IntrospectionMalformed } from "../../../src/resource-server/refusal/introspection-unavailable.ts";
import type { Warning } from "../../../src/resource-server/environment.ts";
import { openResourceServer } from "../../../src/resource-server/resource-server.ts";
import { answeredAtByDate } from "../../../src/resource-server/sources/answered-at.ts";
import { boundFacts, certificate, start, x5tS256 } from "../../support/scripted-backend.ts";

const hour = 3_600_000;
const life = 4000;

/** How the backend's answer tells what is left of a token of four seconds, where it tells. */
type Telling = "expiresIn" | "Date" | "nothing";

/**
 * A resource server whose wall clock is off by so much from its backend's, over an answer that takes `inFlight` to come;
 * the stream plays no part: what is remembered is good for as long as the token is.
 */
function open(t: ExecutionContext, { wrong = 0, telling = "expiresIn" as Telling, decide = "library", inFlight = 0 }) {
  const time = { monotonic: 5000, wall: start + wrong };
  const exp = start / 1000 + life / 1000;
  const asked: number[] = [];
  const warnings: Warning[] = [];
  const now = () => start + (time.monotonic - 5000);
  const tell = (onHeaders: ((headers: Record<string, string>) => void) | undefined) => {
    asked.push(time.monotonic);
    const left = telling === "expiresIn" ? { expiresIn: (exp * 1000 - now()) / 1000 } : {};
    onHeaders?.(telling === "Date" ? { date: new Date(now()).toUTCString() } : {});
    time.monotonic += inFlight;
    time.wall += inFlight;
    return left;
  };
  const result = { resultCode: "A056001", resultMessage: "" };
  const backend: IntrospectionOperations = {
    authIntrospectionStandard(_, options) {
      const responseContent = JSON.stringify(now() < exp * 1000 ? boundFacts({ exp }) : { active: false });
      return Promise.resolve({ ...result, action: "OK", responseContent, ...tell(options?.onHeaders) });
    },
    authIntrospection(_, options) {
      const facts = { scopes: ["read"], certificateThumbprint: x5tS256, expiresAt: exp * 1000 };
      const left = tell(options?.onHeaders);
      return Promise.resolve({ ...result, action: now() < exp * 1000 ? "OK" : "UNAUTHORIZED", ...facts, ...left });
    },
  };
  const server = openResourceServer(
    {
      backend,
      decide: decide as "library" | "backend",
      cache: { ttl: 86_400 },
      timeout: 60_000,
      onWarning: (warning) => warnings.push(warning),
    },
    { clock: () => time.wall, monotonicClock: () => time.monotonic },
  );
  t.teardown(() => server.close());
  const presented = { ...certificate, raw: new Uint8Array([0x30, 0]) };
  return {
    time,
    asked,
    warnings,
    pass: (milliseconds: number): void => {
      time.monotonic += milliseconds;
      time.wall += milliseconds;
    },
    authorize: () => server.authorize({ token: "token", certificate: presented }),
  };
}

for (const decide of ["library", "backend"] as const) {
  for (const wrong of [-hour, 0, hour]) {
    test(`a clock that is ${wrong / hour} h off: a token of 4 s is valid for 4 s by expiresIn (decide: ${decide})`, async (t) => {
      const { asked, authorize, pass } = open(t, { wrong, decide });
      await t.notThrowsAsync(authorize());
      pass(life - 1);
      await t.notThrowsAsync(authorize());
      t.is(asked.length, 1, "it is remembered all the while");
      pass(1);
      await t.throwsAsync(authorize(), { instanceOf: AccessTokenRefused });
      t.is(asked.length, 2);
    });

    test(`a clock that is ${wrong / hour} h off: by Date a token lives at most 1 s less, never longer (${decide})`, async (t) => {
      const { authorize, pass } = open(t, { wrong, decide, telling: "Date" });
      await t.notThrowsAsync(authorize());
      pass(life - 1000);
      await t.notThrowsAsync(authorize());
      pass(999);
      await authorize().catch(() => undefined);
      pass(1);
      await t.throwsAsync(authorize(), { instanceOf: AccessTokenRefused });
    });
  }

  test(`the time that a response takes is subtracted from its token's life, never added (decide: ${decide})`, async (t) => {
    const { asked, authorize, pass } = open(t, { decide, inFlight: 700 });
    await t.notThrowsAsync(authorize());
    pass(life - 700 - 1);
    await t.notThrowsAsync(authorize());
    t.is(asked.length, 1);
    pass(1);
    await t.throwsAsync(authorize(), { instanceOf: AccessTokenRefused });
  });

  test(`without either, the wall clock counts when the response arrives, and no later change (${decide})`, async (t) => {
    const { authorize, pass, time } = open(t, { decide, telling: "nothing" });
    await t.notThrowsAsync(authorize());
    time.wall -= hour;
    pass(life - 1);
    await t.notThrowsAsync(authorize());
    time.wall += 2 * hour;
    await t.notThrowsAsync(authorize());
    pass(1);
    await t.throwsAsync(authorize(), { instanceOf: AccessTokenRefused });
  });

  test(`an expiresIn that is no number of seconds is no answer (decide: ${decide})`, async (t) => {
    for (const expiresIn of [-1, Number.NaN, Number.POSITIVE_INFINITY, "3600", true, {}]) {
      const never = () => Promise.reject(new Error("not asked"));
      const answer = { resultCode: "A056001", resultMessage: "", action: "OK", expiresIn } as never;
      const standard = { ...(answer as object), responseContent: boundFacts() } as never;
      const backend =
        decide === "library"
          ? { authIntrospection: never, authIntrospectionStandard: () => Promise.resolve(standard) }
          : { authIntrospectionStandard: never, authIntrospection: () => Promise.resolve(answer) };
      const clocks = { clock: () => start, monotonicClock: () => 0 };
      const server = openResourceServer({ backend: backend, decide }, clocks);
      t.teardown(() => server.close());
      await t.throwsAsync(server.authorize({ token: "token", certificate: undefined }), {
        instanceOf: IntrospectionMalformed,
        message: /expiresIn/,
      });
    }
  });
}

test("a clock that is more than 5 s off causes one warning per issuer, with the difference", async (t) => {
  for (const [wrong, message] of [
    [-hour, /3600 s behind that of the authorization server/],
    [hour, /3600 s ahead of that of the authorization server/],
    [-5000, undefined],
    [5000, undefined],
    [0, undefined],
  ] as const) {
    const { authorize, pass, warnings } = open(t, { wrong });
    await authorize();
    pass(life);
    await t.throwsAsync(authorize());
    t.deepEqual(
      warnings.map(({ code }) => code),
      message === undefined ? [] : ["CERTBOUND_CLOCK_OFFSET"],
    );
    if (message !== undefined) t.regex(warnings[0]?.message ?? "", message);
  }
});

test("an answer that takes long to come makes no clock wrong", async (t) => {
  for (const wrong of [-5000, 0, 5000]) {
    const { authorize, warnings } = open(t, { wrong, inFlight: 3900 });
    await authorize();
    t.deepEqual(warnings, []);
  }
});

test("Date is read by RFC 9110, with the Age of a cached response; anything else is ignored", (t) => {
  const date = "Tue, 01 Dec 2026 08:00:00 GMT";
  const instant = Date.UTC(2026, 11, 1, 8);
  t.is(answeredAtByDate({ date }), instant + 999);
  t.is(answeredAtByDate({ date, age: "30" }), instant + 30_999);
  for (const age of ["-30", "1.5", "", "1e3", "99999999999"]) t.is(answeredAtByDate({ date, age }), instant + 999, age);
  for (const other of [
    undefined,
    "",
    "now",
    "2026-12-01T08:00:00Z",
    "Tuesday, 01-Dec-26 08:00:00 GMT",
    "Tue Dec  1 08:00:00 2026",
    "Tue, 01 Dec 2026 08:00:00 +0100",
    "Tue, 99 Dec 2026 08:00:00 GMT",
    `${date}, ${date}`,
    [date],
  ]) {
    t.is(answeredAtByDate({ date: other }), undefined, String(other));
  }
});
