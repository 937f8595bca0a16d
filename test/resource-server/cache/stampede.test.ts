import test from "ava";
import { AccessTokenRefused } from "../../../src/resource-server/refusal/access-token-refused.ts";
import { createResourceServer } from "../../../src/resource-server/resource-server.ts";
import { readCertificate } from "../../../src/x509/read-certificate.ts";
import { createAuthority } from "../../support/certificates.ts";
import { startIntrospectionBackend } from "../../support/introspection-backend.ts";
import { factsBoundTo, startProtectedApi } from "../../support/protected-api.ts";

const authority = createAuthority({ subject: "CN=Client CA" });
const right = authority.issue({ subject: "CN=client-a" });
const wrong = authority.issue({ subject: "CN=client-b" });

/** Longer than two hundred handshakes take on a busy machine. */
const cache = { ttl: 600, negativeTtl: 600 };

/** A question is about the token in the one way of deciding, and about token and certificate in the other. */
const ways = [
  { decide: "library", questions: 1 },
  { decide: "backend", questions: 3 },
] as const;

for (const { decide, questions } of ways) {
  test(`8705-3-d: 100 requests at once on a cold token, the first with the wrong certificate, a quarter without one, half with the right one: half are served, ${questions} asked (decide: ${decide})`, async (t) => {
    let inside = 0;
    const everyone = Promise.withResolvers<undefined>();
    const api = await startProtectedApi(t, {
      library: { decide, cache },
      before: (_, next) => {
        const rest = next();
        if (++inside === 100) everyone.resolve(undefined);
        return rest;
      },
    });
    api.backend.tokens.set("token-a", factsBoundTo(right));
    const gate = api.backend.closeGate();
    const leader = api.get("token-a", wrong);
    await gate.arrived(1);
    const certificates = [
      wrong,
      ...Array.from({ length: 99 }, (_, at) => (at < 50 ? right : at < 75 ? undefined : wrong)),
    ];
    const others = certificates.slice(1).map((as) => api.get("token-a", as));
    // All hundred wait inside the library, and the backend has not answered anybody.
    await everyone.promise;
    await gate.arrived(questions);
    t.is(api.served(), 0);
    gate.open();
    const statuses = (await Promise.all([leader, ...others])).map(({ status }) => status);
    t.deepEqual(statuses, [401, ...Array<number>(50).fill(200), ...Array<number>(49).fill(401)]);
    t.is(api.backend.requests.length, questions);

    const warm = await Promise.all(certificates.map((as) => api.get("token-a", as)));
    t.deepEqual(
      warm.map(({ status }) => status),
      statuses,
    );
    t.is(api.served(), 100);
    t.is(api.backend.requests.length, questions);
  });

  test(`the same through authorize() alone (decide: ${decide})`, async (t) => {
    const backend = await startIntrospectionBackend();
    const timeout = { attempt: 60_000, total: 60_000 };
    const connection = { baseUrl: backend.baseUrl, serviceId: 4711, credentials: { apiSecret: "secret" }, timeout };
    const resourceServer = createResourceServer({ backend: connection, decide, cache });
    t.teardown(async () => {
      await resourceServer.close();
      await backend.stop();
    });
    backend.tokens.set("token-a", factsBoundTo(right));
    const [good, bad] = [readCertificate(right.pem), readCertificate(wrong.pem)];
    const gate = backend.closeGate();
    const stampede = () =>
      Array.from({ length: 100 }, (_, at) =>
        resourceServer.authorize({ token: "token-a", certificate: [bad, good, undefined, good][at % 4] }).then(
          () => "granted",
          (error: unknown) => (error instanceof AccessTokenRefused ? error.code : error),
        ),
      );
    const expected = Array.from({ length: 100 }, (_, at) => {
      if (at % 2 === 1) return "granted";
      return at % 4 === 0 ? "certificate_mismatch" : "certificate_missing";
    });
    const cold = stampede();
    await gate.arrived(questions);
    gate.open();
    t.deepEqual(await Promise.all(cold), expected);
    t.deepEqual(await Promise.all(stampede()), expected);
    t.is(backend.requests.length, questions);
  });
}
