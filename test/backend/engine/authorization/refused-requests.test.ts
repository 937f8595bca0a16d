import test, { type ExecutionContext } from "ava";
import type { Command } from "../../../../src/backend/store/command.ts";
import type { ClientSettings, ServiceSettings } from "../../../../src/backend/engine/settings/settings.ts";
import type { AuthorizationResponse } from "../../../../src/contract/auth-authorization.ts";
import {
  authorizationParameters,
  codeChallenge,
  codeClient,
  codeService,
  parametersOf,
  redirectUri,
} from "../../../support/authorization.ts";
import { createEngineByHand } from "../../../support/engine.ts";

interface World {
  readonly service?: Partial<ServiceSettings>;
  readonly client?: Partial<ClientSettings>;
}

const deepList = "[".repeat(6000) + "]".repeat(6000);

/** The answer to a request that keeps nothing. */
async function refused(
  t: ExecutionContext,
  parameters: string | null | undefined,
  { service, client }: World = {},
): Promise<AuthorizationResponse> {
  const commands: Command[] = [];
  const services = [{ settings: codeService(service), clients: [codeClient(client)] }];
  const { operations } = await createEngineByHand(t, services, {
    around: (store) => ({
      run: (command) => {
        commands.push(command);
        return store.run(command);
      },
    }),
  });
  const answer = await operations().authAuthorization({ parameters });
  t.deepEqual(commands, []);
  t.is(answer.ticket, undefined);
  return answer;
}

const request = authorizationParameters;
const deep = `${"[".repeat(1000)}${"]".repeat(1000)}`;

test("without parameters: A004201, an error of the API caller", async (t) => {
  for (const parameters of [undefined, null]) {
    const answer = await refused(t, parameters);
    t.is(answer.resultCode, "A004201");
    t.is(answer.action, "INTERNAL_SERVER_ERROR");
    t.like(JSON.parse(answer.responseContent ?? ""), { error: "server_error" });
  }
});

const unsafe: readonly (readonly [what: string, parameters: string, code: string, world?: World])[] = [
  ["nothing", "", "A004301"],
  ["blanks", " \r\n", "A004301"],
  ["a bad percent sequence", `${request()}&x=%zz`, "A004202"],
  ["octets that are no UTF-8", `${request()}&x=%ff`, "A004202"],
  ["redirect_uri in brackets", `${request({ redirect_uri: undefined })}&redirect_uri[]=${redirectUri}`, "A004202"],
  ["no client_id", request({ client_id: undefined }), "A010301"],
  ["an empty client_id", request({ client_id: "" }), "A010301"],
  ["client_id twice", `${request()}&client_id=1`, "A010303"],
  ["client_id once more, empty", `${request()}&client_id=`, "A010303"],
  ["another client_id as well", `${request()}&client_id=2`, "A010303"],
  ["an unknown client", request({ client_id: "2" }), "A010308"],
  ["an unknown alias", request({ client_id: "app" }), "A010308"],
  ["client_id with a line break", request({ client_id: "1\n" }), "A010308"],
  ["client_id with a leading zero", request({ client_id: "01" }), "A010308"],
  ["an oversized client_id", request({ client_id: "1".repeat(60_000) }), "A010308"],
  [
    "an alias that is not enabled",
    request({ client_id: "app" }),
    "A010309",
    { client: { clientIdAlias: "app", clientIdAliasEnabled: false } },
  ],
  ["a locked client", request(), "A010307", { client: { locked: true } }],
  ["redirect_uri twice", `${request()}&redirect_uri=${encodeURIComponent(redirectUri)}`, "A011302"],
  ["redirect_uri once more, empty", `${request()}&redirect_uri=`, "A011302"],
  ["another redirect_uri as well", `${request()}&redirect_uri=https%3A%2F%2Fevil.example`, "A011302"],
  ["no redirect_uri in an OpenID request", request({ redirect_uri: undefined, scope: "openid" }), "A011303"],
  ["no redirect_uri, and openid in a second scope", `${request({ redirect_uri: undefined })}&scope=openid`, "A011303"],
  ["a redirect URI that is not registered", request({ redirect_uri: "https://evil.example/cb" }), "A011304"],
  ["an oversized redirect_uri", request({ redirect_uri: `${redirectUri}?${"a".repeat(60_000)}` }), "A011304"],
  ["a client without redirect URIs", request(), "A011309", { client: { redirectUris: [] } }],
  [
    "a redirect URI that runs",
    request({ redirect_uri: "javascript:alert(1)" }),
    "A011309",
    {
      client: { redirectUris: ["javascript:alert(1)"] },
    },
  ],
  [
    "a redirect URI with a fragment",
    request({ redirect_uri: `${redirectUri}#a` }),
    "A011309",
    {
      client: { redirectUris: [`${redirectUri}#a`] },
    },
  ],
  [
    "no redirect_uri with two registered",
    request({ redirect_uri: undefined }),
    "A011310",
    {
      client: { redirectUris: [redirectUri, `${redirectUri}2`] },
    },
  ],
  ["no response_type", request({ response_type: undefined }), "A009301"],
  ["an empty response_type", request({ response_type: "" }), "A009301"],
];

for (const [what, parameters, code, world] of unsafe) {
  test(`${what}: ${code}, shown to the user and sent to no address`, async (t) => {
    const answer = await refused(t, parameters, world);
    t.is(answer.resultCode, code);
    t.is(answer.action, "BAD_REQUEST");
    const { error, error_description } = JSON.parse(answer.responseContent ?? "") as Record<string, string>;
    t.is(error, code === "A010307" ? "unauthorized_client" : "invalid_request");
    t.true(error_description?.startsWith(`[${code}] `));
  });
}

const almostRegistered = [
  `${redirectUri}/`,
  `${redirectUri}/../cb`,
  `${redirectUri}?a=1`,
  `${redirectUri}?`,
  `${redirectUri}#`,
  `${redirectUri} `,
  `${redirectUri}\n`,
  "https://client.example.com/CB",
  "https://CLIENT.example.com/cb",
  "HTTPS://client.example.com/cb",
  "http://client.example.com/cb",
  "https://client.example.com./cb",
  "https://client.example.com:443/cb",
  "https://client.example.com//cb",
  "https://client.example.com/%63b",
  "https://user@client.example.com/cb",
  "https://client.example.com@evil.example/cb",
  "https://client.example.com.evil.example/cb",
  "https://evil.example/?https://client.example.com/cb",
  "//client.example.com/cb",
  "/cb",
  "cb",
  "https://xn--client.example.com/cb",
];

test("9700-2.1-a: a redirect URI that is not exactly the registered one is A011304, sent to no address", async (t) => {
  for (const sent of almostRegistered) {
    const answer = await refused(t, request({ redirect_uri: sent }));
    t.is(answer.resultCode, "A011304", sent);
    t.is(answer.action, "BAD_REQUEST", sent);
    t.false(answer.responseContent?.includes("://"), sent);
  }
});

const long = (length: number): string => "a".repeat(length);

const toClient: readonly (readonly [what: string, parameters: string, error: string, code: string, world?: World])[] = [
  ["response_type twice", `${request()}&response_type=code`, "invalid_request", "A009303"],
  ["an unknown response_type", request({ response_type: "codes" }), "unsupported_response_type", "A009304"],
  ["response_type in capitals", request({ response_type: "CODE" }), "unsupported_response_type", "A009304"],
  ["an oversized response_type", request({ response_type: long(256) }), "invalid_request", "A004305"],
  ["response_type=none", request({ response_type: "none" }), "unsupported_response_type", "A009305"],
  [
    "a service without the grant",
    request(),
    "unsupported_response_type",
    "A009305",
    {
      service: { supportedGrantTypes: ["CLIENT_CREDENTIALS"] },
    },
  ],
  [
    "a client without the grant",
    request(),
    "unauthorized_client",
    "A009306",
    {
      client: { grantTypes: ["CLIENT_CREDENTIALS"] },
    },
  ],
  ["response_mode twice", `${request()}&response_mode=query&response_mode=form_post`, "invalid_request", "A012302"],
  ["response_mode=fragment", request({ response_mode: "fragment" }), "invalid_request", "A012303"],
  ["response_mode=jwt", request({ response_mode: "jwt" }), "invalid_request", "A012303"],
  ["response_mode=query.jwt", request({ response_mode: "query.jwt" }), "invalid_request", "A012303"],
  ["an oversized response_mode", request({ response_mode: long(256) }), "invalid_request", "A004305"],
  ["request", request({ request: "a.b.c" }), "request_not_supported", "A008312"],
  ["request twice", `${request()}&request=a&request=b`, "invalid_request", "A008301"],
  ["request_uri", request({ request_uri: "urn:x" }), "request_uri_not_supported", "A008313"],
  ["request_uri twice", `${request()}&request_uri=a&request_uri=b`, "invalid_request", "A008302"],
  ["scope twice", `${request()}&scope=read`, "invalid_request", "A007302"],
  ["an oversized scope", request({ scope: long(4097) }), "invalid_request", "A004305"],
  ["scopes of which none is known", request({ scope: "x y" }), "invalid_scope", "A007305"],
  ["nonce twice", `${request()}&nonce=a&nonce=a`, "invalid_request", "A014302"],
  ["nonce beyond ASCII", request({ nonce: "é" }), "invalid_request", "A014304"],
  ["nonce with a line break", request({ nonce: "a\n" }), "invalid_request", "A014304"],
  ["an oversized nonce", request({ nonce: long(1025) }), "invalid_request", "A014305"],
  ["display twice", `${request()}&display=page&display=page`, "invalid_request", "A015302"],
  ["an unknown display", request({ display: "PAGE" }), "invalid_request", "A015303"],
  ["an oversized display", request({ display: long(60_000) }), "invalid_request", "A015303"],
  ["prompt twice", `${request()}&prompt=login&prompt=consent`, "invalid_request", "A016302"],
  ["an unknown prompt", request({ prompt: "login x" }), "invalid_request", "A016303"],
  ["prompts with two blanks", request({ prompt: "login  consent" }), "invalid_request", "A016303"],
  ["prompt none with another", request({ prompt: "none login" }), "invalid_request", "A016304"],
  ["an oversized prompt", request({ prompt: long(256) }), "invalid_request", "A004305"],
  ["max_age twice", `${request()}&max_age=1&max_age=1`, "invalid_request", "A017302"],
  ...["-1", "1.5", "1e3", "0x10", " 1", "2147483648", "99999999999", "٣"].map(
    (age) => [`max_age=${age}`, request({ max_age: age }), "invalid_request", "A017303"] as const,
  ),
  ["ui_locales twice", `${request()}&ui_locales=de&ui_locales=en`, "invalid_request", "A018302"],
  ["oversized ui_locales", request({ ui_locales: long(1001) }), "invalid_request", "A004305"],
  ["claims_locales twice", `${request()}&claims_locales=de&claims_locales=en`, "invalid_request", "A020302"],
  ["oversized claims_locales", request({ claims_locales: long(1001) }), "invalid_request", "A004305"],
  ["acr_values twice", `${request()}&acr_values=a&acr_values=b`, "invalid_request", "A021302"],
  ["acr_values of a service without classes", request({ acr_values: "a" }), "invalid_request", "A021303"],
  [
    "acr_values of which none is known",
    request({ acr_values: "b c" }),
    "invalid_request",
    "A021304",
    {
      service: { supportedAcrs: ["a"] },
    },
  ],
  ["oversized acr_values", request({ acr_values: long(2001) }), "invalid_request", "A004305"],
  [
    "an essential acr that is not known",
    request({ claims: '{"id_token":{"acr":{"essential":true,"value":"b"}}}' }),
    "unmet_authentication_requirements",
    "A021304",
    { service: { supportedAcrs: ["a"] } },
  ],
  ["login_hint twice", `${request()}&login_hint=a&login_hint=a`, "invalid_request", "A004304"],
  ["an oversized login_hint", request({ login_hint: long(1001) }), "invalid_request", "A004305"],
  ["id_token_hint twice", `${request()}&id_token_hint=a&id_token_hint=a`, "invalid_request", "A004304"],
  ["an invalid id_token_hint", request({ id_token_hint: "a.b.c" }), "invalid_request", "A019303"],
  ["an oversized id_token_hint", request({ id_token_hint: long(16_385) }), "invalid_request", "A004305"],
  ["claims twice", `${request()}&claims={}&claims={}`, "invalid_request", "A004304"],
  ["claims that are no JSON", request({ claims: "{" }), "invalid_request", "A022303"],
  ["claims that are a list", request({ claims: "[]" }), "invalid_request", "A022303"],
  ["claims nested too deep", request({ claims: `{"userinfo":{"a":{"x":${deep}}}}` }), "invalid_request", "A022303"],
  ["claims of which a half is a text", request({ claims: '{"id_token":"a"}' }), "invalid_request", "A022303"],
  [
    "claims of 6000 levels",
    request({ claims: `{"userinfo":{"a":{"value":${deepList}}}}` }),
    "invalid_request",
    "A022303",
  ],
  ["an acr that is no text", request({ claims: '{"id_token":{"acr":{"value":1}}}' }), "invalid_request", "A022303"],
  ["a sub that is no text", request({ claims: '{"id_token":{"sub":{"value":1}}}' }), "invalid_request", "A022303"],
  [
    "two different subjects",
    request({ claims: '{"id_token":{"sub":{"value":"a"}},"userinfo":{"sub":{"value":"b"}}}' }),
    "invalid_request",
    "A022304",
  ],
  [
    "claims that are nested without end",
    request({ claims: `{"id_token":{"a":{"x":${"[".repeat(8000)}${"]".repeat(8000)}}}}` }),
    "invalid_request",
    "A022303",
  ],
  ["oversized claims", request({ claims: `{"a":"${long(16_384)}"}` }), "invalid_request", "A004305"],
  ["a relative resource", request({ resource: "/api" }), "invalid_target", "A251307"],
  ["a resource with a fragment", request({ resource: "https://api.example.com/#a" }), "invalid_target", "A251308"],
  [
    "a resource of others",
    request({ resource: "https://api.example.com/" }),
    "invalid_target",
    "A251306",
    {
      service: { supportedResources: ["https://other.example.com/"] },
    },
  ],
  ["an oversized resource", request({ resource: `https://a/${long(2000)}` }), "invalid_request", "A004305"],
  ["101 resources", `${request()}${"&resource=https://a/".repeat(101)}`, "invalid_request", "A004305"],
  ["code_challenge twice", `${request()}&code_challenge=${codeChallenge}`, "invalid_request", "A124303"],
  ["an invalid code_challenge", request({ code_challenge: "abc" }), "invalid_request", "A124304"],
  ["a padded code_challenge", request({ code_challenge: `${codeChallenge}=` }), "invalid_request", "A124304"],
  ["an oversized code_challenge", request({ code_challenge: long(60_000) }), "invalid_request", "A124304"],
  ["code_challenge_method twice", `${request()}&code_challenge_method=S256`, "invalid_request", "A124305"],
  ["code_challenge_method=s256", request({ code_challenge_method: "s256" }), "invalid_request", "A124306"],
  [
    "an oversized code_challenge_method",
    request({ code_challenge_method: long(60_000) }),
    "invalid_request",
    "A124306",
  ],
  ["no code_challenge_method", request({ code_challenge_method: undefined }), "invalid_request", "A124307"],
  ["an empty code_challenge_method", request({ code_challenge_method: "" }), "invalid_request", "A124307"],
  ["code_challenge_method=plain", request({ code_challenge_method: "plain" }), "invalid_request", "A124308"],
  ["a method without a challenge", request({ code_challenge: undefined }), "invalid_request", "A124301"],
  ...(
    [
      ["a public client", { client: { clientType: "PUBLIC", tokenAuthMethod: "NONE" } }],
      ["a client that demands PKCE", { client: { pkceRequired: true } }],
      ["a service that demands PKCE", { service: { pkceRequired: true } }],
    ] as const
  ).map(
    ([who, world]) =>
      [
        `${who}, no code_challenge`,
        request({ code_challenge: undefined, code_challenge_method: undefined }),
        "invalid_request",
        "A124301",
        world,
      ] as const,
  ),
  ["an unknown parameter twice", `${request()}&x=1&x=1`, "invalid_request", "A004304"],
];

for (const [what, parameters, error, code, world] of toClient) {
  test(`${what}: ${code}, and the client gets ${error}`, async (t) => {
    const answer = await refused(t, parameters, world);
    t.is(answer.resultCode, code);
    t.is(answer.action, "LOCATION");
    t.true(answer.responseContent?.startsWith(`${redirectUri}?error=`));
    const { error_description, ...rest } = parametersOf(answer.responseContent);
    t.deepEqual(rest, { error, state: "af0ifjsldkj", iss: "https://as.example.com" });
    t.true(error_description?.startsWith(`[${code}] `));
  });
}

for (const [what, parameters, code] of [
  ["twice", `${request()}&state=af0ifjsldkj`, "A013302"],
  ["once more, empty", `${request()}&state=`, "A013302"],
  ["beyond ASCII", request({ state: "é" }), "A013303"],
  ["with a line break", request({ state: "a\r\nLocation: https://evil.example" }), "A013303"],
  ["with a NUL", request({ state: "\0" }), "A013303"],
  ["oversized", request({ state: long(4097) }), "A013304"],
] as const) {
  test(`state ${what}: ${code}, and it is not given back`, async (t) => {
    const answer = await refused(t, parameters);
    t.is(answer.resultCode, code);
    const { error_description, ...rest } = parametersOf(answer.responseContent);
    t.deepEqual(rest, { error: "invalid_request", iss: "https://as.example.com" });
    t.is(typeof error_description, "string");
  });
}

test("6749-3.3-c: characters that no scope has are invalid_scope", async (t) => {
  for (const scope of ['"', "\\", "a\tb", "\n", "a\0", "é", "😀", " read", "read ", "read  write", "\x7f"]) {
    const answer = await refused(t, request({ scope }));
    t.is(answer.resultCode, "A007303", JSON.stringify(scope));
    t.is(parametersOf(answer.responseContent)["error"], "invalid_scope");
  }
});

const withTokens = [
  "token",
  "id_token",
  "code token",
  "token code",
  "code id_token",
  "id_token token",
  "code id_token token",
];

test("8705-6.4, 9700-2.1.2: a response type with a token is unsupported_response_type and gives none", async (t) => {
  for (const responseType of withTokens) {
    const answer = await refused(t, request({ response_type: responseType }));
    t.is(answer.resultCode, "A009305", responseType);
    const told = parametersOf(answer.responseContent);
    t.is(told["error"], "unsupported_response_type");
    t.is(new URL(answer.responseContent ?? "").hash, "");
    t.false("access_token" in told || "id_token" in told || "code" in told);
  }
});

test("an error goes where a right answer would go: to the client by form, when it asked for that", async (t) => {
  const answer = await refused(t, request({ scope: "x", response_mode: "form_post", state: `"'<>&` }));
  t.is(answer.action, "FORM");
  t.true(answer.responseContent?.includes(`<form method="post" action="${redirectUri}">`));
  t.true(answer.responseContent?.includes('name="error" value="invalid_scope"'));
  t.true(answer.responseContent?.includes('name="state" value="&quot;&#39;&lt;&gt;&amp;"'));
  t.true(answer.responseContent?.includes('name="iss" value="https://as.example.com"'));
});

test("a service may keep descriptions to itself", async (t) => {
  const world = { service: { errorDescriptionOmitted: true } };
  const answer = await refused(t, request({ scope: "x" }), world);
  t.deepEqual(Object.keys(parametersOf(answer.responseContent)), ["error", "state", "iss"]);
  const unknown = await refused(t, request({ client_id: "2" }), world);
  t.is(unknown.responseContent, '{"error":"invalid_request"}');
});

test("no message contains what the client sent, not even a name", async (t) => {
  const secret = "S3CRET";
  for (const parameters of [`${request()}&${secret}=1&${secret}=2`, request({ scope: secret, prompt: secret })]) {
    const answer = await refused(t, parameters);
    t.false(JSON.stringify(answer).includes(secret));
  }
});
