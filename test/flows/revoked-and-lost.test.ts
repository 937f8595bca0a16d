import { once } from "node:events";
import test from "ava";
import { pino } from "pino";
import { openBackend } from "../../src/backend/index.ts";
import { tokenDigestText } from "../../src/oauth/token-digest.ts";
import type { IntrospectionOperations } from "../../src/api-client/introspection-caller.ts";
import { AccessTokenRefused, createResourceServer } from "../../src/resource-server/index.ts";
import { clientSettings, configurationOf, secretOf, serviceSettings } from "../support/settings.ts";
import { createServiceKey, serviceJwks } from "../support/signing-keys.ts";
import { makeStoreFile } from "../support/store-beside.ts";

const settings = serviceSettings({
  jwks: serviceJwks([createServiceKey("P256", "ec")]),
  accessTokenSignAlg: "ES256",
  defaultResources: ["https://api.example.com"],
});
const confidential = (clientId: number) => clientSettings({ clientId, tlsClientCertificateBoundAccessTokens: false });

for (const form of ["jwt", "identifier"] as const) {
  test(`revoking a JWT that the store has lost voids what an API remembers of its ${form}`, async (t) => {
    const file = await makeStoreFile(t);
    const backend = await openBackend({
      configuration: configurationOf([{ settings, clients: [confidential(1)] }], file.configuration),
      log: pino({ level: "silent" }),
    });
    const asked: string[] = [];
    const streaming = Promise.withResolvers<undefined>();
    const watched: IntrospectionOperations = {
      authIntrospection: (request, how) => backend.authIntrospection(request, how),
      authIntrospectionStandard(request, how) {
        asked.push(new URLSearchParams(request.parameters).get("token") ?? "");
        return backend.authIntrospectionStandard(request, how);
      },
      async *authIntrospectionEvents(request, how) {
        for await (const message of backend.authIntrospectionEvents(request, how)) {
          yield message;
          // Whoever takes the next one has taken this one in.
          if (message.type === "heartbeat") streaming.resolve(undefined);
        }
      },
    };
    // Without events every answer would serve for ten minutes.
    const resourceServer = createResourceServer({ backend: watched, cache: { ttl: 600 }, timeout: 30_000 });
    t.teardown(async () => {
      await resourceServer.close();
      await backend.close();
    });
    const authorize = (token: string) =>
      resourceServer.authorize({ token, certificate: undefined, requirement: { binding: "if-bound" } });
    const issue = async () => {
      const { jwtAccessToken = "", accessToken = "" } = await backend.authToken({
        parameters: "grant_type=client_credentials",
        clientId: "1",
        clientSecret: secretOf(1),
      });
      return { jwt: jwtAccessToken, identifier: accessToken };
    };
    const [lost, other] = [await issue(), await issue()];
    await authorize(other.jwt);
    await streaming.promise;
    const { signal } = await authorize(lost[form]);
    await authorize(lost[form]);
    t.deepEqual(asked, [other.jwt, lost[form]], "it is remembered");
    // As a backup has it that was made before the token was issued.
    file.tamper(
      `DELETE FROM access_token WHERE digest = x'${Buffer.from(tokenDigestText(lost.identifier), "base64url").toString("hex")}'`,
    );
    const ended = once(signal, "abort");
    const revocation = { parameters: `token=${lost[form]}`, clientId: "1", clientSecret: secretOf(1) };
    t.is((await backend.authRevocation(revocation)).resultCode, "A113001");
    await ended;
    t.true(signal.reason instanceof AccessTokenRefused);
    await t.throwsAsync(authorize(lost[form]), { instanceOf: AccessTokenRefused });
    await authorize(other.jwt);
    t.deepEqual(asked, [other.jwt, lost[form], lost[form]], "nothing else is asked for again");
  });
}
