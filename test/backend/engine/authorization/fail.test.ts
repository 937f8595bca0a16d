import test, { type ExecutionContext } from "ava";
import type { AuthorizationFailReason } from "../../../../src/contract/auth-authorization-fail.ts";
import {
  authorizationParameters,
  codeClient,
  codeService,
  parametersOf,
  redirectUri,
} from "../../../support/authorization.ts";
import { createEngineByHand, startInstant, type EngineByHand } from "../../../support/engine.ts";
import { serviceId } from "../../../support/settings.ts";

async function ask(
  t: ExecutionContext,
  request: Readonly<Record<string, string>> = {},
): Promise<{ byHand: EngineByHand; ticket: string }> {
  const byHand = await createEngineByHand(t, [{ settings: codeService(), clients: [codeClient()] }]);
  const parameters = authorizationParameters(request);
  const { ticket = "" } = await byHand.operations().authAuthorization({ parameters });
  return { byHand, ticket };
}

const reasons: readonly (readonly [AuthorizationFailReason, error: string, code: string])[] = [
  ["UNKNOWN", "server_error", "A060307"],
  ["NOT_LOGGED_IN", "login_required", "A060301"],
  ["MAX_AGE_NOT_SUPPORTED", "login_required", "A060302"],
  ["EXCEEDS_MAX_AGE", "login_required", "A060303"],
  ["DIFFERENT_SUBJECT", "login_required", "A060304"],
  ["ACR_NOT_SATISFIED", "unmet_authentication_requirements", "A060305"],
  ["DENIED", "access_denied", "A060306"],
  ["SERVER_ERROR", "server_error", "A060308"],
  ["NOT_AUTHENTICATED", "login_required", "A060309"],
  ["ACCOUNT_SELECTION_REQUIRED", "account_selection_required", "A060310"],
  ["CONSENT_REQUIRED", "consent_required", "A060311"],
  ["INTERACTION_REQUIRED", "interaction_required", "A060312"],
  ["INVALID_TARGET", "invalid_target", "A060313"],
  ["INVALID_SCOPE", "invalid_scope", "A060314"],
  ["UNAUTHORIZED_CLIENT", "unauthorized_client", "A060315"],
  ["TEMPORARILY_UNAVAILABLE", "temporarily_unavailable", "A060316"],
];

for (const [reason, error, code] of reasons) {
  test(`${reason}: ${code}, the client gets ${error}, the ticket is used`, async (t) => {
    const { byHand, ticket } = await ask(t);
    const answer = await byHand.operations().authAuthorizationFail({ ticket, reason });
    t.is(answer.resultCode, code);
    t.is(answer.action, "LOCATION");
    const { error_description, ...rest } = parametersOf(answer.responseContent);
    t.deepEqual(rest, { error, state: "af0ifjsldkj", iss: "https://as.example.com" });
    t.true(error_description?.startsWith(`[${code}] `));
    t.is((await byHand.operations().authAuthorizationIssue({ ticket, subject: "john" })).resultCode, "A041202");
    t.is((await byHand.operations().authAuthorizationFail({ ticket, reason })).resultCode, "A059202");
  });
}

test("a description takes the place of ours, in the characters of RFC 6749 and not endlessly", async (t) => {
  const { byHand, ticket } = await ask(t);
  const description = `Not "today" \\ é\r\n${"a".repeat(5000)}`;
  const answer = await byHand.operations().authAuthorizationFail({ ticket, reason: "DENIED", description });
  const told = parametersOf(answer.responseContent)["error_description"] ?? "";
  t.true(told.startsWith("Not ?today? ? ???aaa"), told.slice(0, 30));
  t.is(told.length, 1000);
});

test("response_mode=form_post: FORM", async (t) => {
  const { byHand, ticket } = await ask(t, { response_mode: "form_post" });
  const answer = await byHand.operations().authAuthorizationFail({ ticket, reason: "DENIED" });
  t.is(answer.action, "FORM");
  t.true(answer.responseContent?.includes('name="error" value="access_denied"'));
});

for (const [what, request, code] of [
  ["no ticket", { reason: "DENIED" }, "A059201"],
  ["an empty ticket", { ticket: "", reason: "DENIED" }, "A059201"],
  ["no reason", { ticket: "TICKET" }, "A060201"],
  ["a null reason", { ticket: "TICKET", reason: null }, "A060201"],
  ["an unknown ticket", { ticket: "x", reason: "DENIED" }, "A059202"],
] as const) {
  test(`${what}: ${code}, an error of the API caller, and the ticket stays valid`, async (t) => {
    const { byHand, ticket } = await ask(t);
    const given = "ticket" in request && request.ticket === "TICKET" ? { ...request, ticket } : request;
    const answer = await byHand.operations().authAuthorizationFail(given);
    t.is(answer.resultCode, code);
    t.is(answer.action, "INTERNAL_SERVER_ERROR");
    t.like(JSON.parse(answer.responseContent ?? ""), { error: "server_error" });
    t.is((await byHand.operations().authAuthorizationTicketInfo({ ticket })).action, "OK");
  });
}

test("an expired ticket: A059301, and no redirect", async (t) => {
  const { byHand, ticket } = await ask(t);
  byHand.setClock(startInstant + 86_400_000);
  const answer = await byHand.operations().authAuthorizationFail({ ticket, reason: "DENIED" });
  t.is(answer.resultCode, "A059301");
  t.is(answer.action, "BAD_REQUEST");
});

test("a ticket of another service: A059202", async (t) => {
  const { byHand, ticket } = await ask(t);
  const other = codeService({ apiKey: serviceId + 1, accessTokens: ["x".repeat(32)] });
  const services = [
    { settings: codeService(), clients: [codeClient()] },
    { settings: other, clients: [codeClient()] },
  ];
  await byHand.configure(services);
  const answer = await byHand.operations(serviceId + 1).authAuthorizationFail({ ticket, reason: "DENIED" });
  t.is(answer.resultCode, "A059202");
  t.is((await byHand.operations().authAuthorizationTicketInfo({ ticket })).action, "OK");
});

for (const [what, client] of [
  ["was locked", { locked: true }],
  ["gave its redirect URI up", { redirectUris: [`${redirectUri}2`] }],
] as const) {
  test(`a client that ${what} since then: A059302, and nothing goes there`, async (t) => {
    const { byHand, ticket } = await ask(t);
    await byHand.configure([{ settings: codeService(), clients: [codeClient(client)] }]);
    const answer = await byHand.operations().authAuthorizationFail({ ticket, reason: "DENIED" });
    t.is(answer.resultCode, "A059302");
    t.is(answer.action, "BAD_REQUEST");
    t.false(answer.responseContent?.includes("://"));
  });
}
