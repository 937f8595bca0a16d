import test, { type ExecutionContext } from "ava";
import type { ServiceOperations } from "../../../../src/backend/engine/engine.ts";
import { authorizationParameters, codeClient, codeService } from "../../../support/authorization.ts";
import { createEngineByHand, startInstant, type EngineByHand } from "../../../support/engine.ts";
import { serviceId } from "../../../support/settings.ts";

interface Asked {
  readonly byHand: EngineByHand;
  readonly api: ServiceOperations;
  readonly ticket: string;
}

const services = [
  { settings: codeService(), clients: [codeClient()] },
  { settings: codeService({ apiKey: serviceId + 1, accessTokens: ["x".repeat(32)] }), clients: [codeClient()] },
];

async function ask(t: ExecutionContext, context?: string): Promise<Asked> {
  const byHand = await createEngineByHand(t, services);
  const api = byHand.operations();
  const { ticket = "" } = await api.authAuthorization({ parameters: authorizationParameters(), context });
  return { byHand, api, ticket };
}

test("the text of a ticket is answered as it came: A420001", async (t) => {
  const context = `{"a":"é\n"}`;
  const { api, ticket } = await ask(t, context);
  const answer = await api.authAuthorizationTicketInfo({ ticket });
  t.deepEqual(answer, {
    resultCode: "A420001",
    resultMessage: "[A420001] The ticket is known.",
    action: "OK",
    info: { context },
  });
});

test("a ticket without text has an empty information", async (t) => {
  const { api, ticket } = await ask(t);
  t.deepEqual((await api.authAuthorizationTicketInfo({ ticket })).info, {});
});

for (const [how, info] of [
  ["a text", "session=43"],
  ["an object", { context: "session=43" }],
] as const) {
  test(`the text of a ticket is changed by ${how}: A421001, and goes out with the code`, async (t) => {
    const { api, ticket } = await ask(t, "session=42");
    const answer = await api.authAuthorizationTicketUpdate({ ticket, info });
    t.is(answer.resultCode, "A421001");
    t.is(answer.action, "OK");
    t.deepEqual(answer.info, { context: "session=43" });
    t.deepEqual((await api.authAuthorizationTicketInfo({ ticket })).info, { context: "session=43" });
    const issued = await api.authAuthorizationIssue({ ticket, subject: "john" });
    t.deepEqual(issued.ticketInfo, { context: "session=43" });
  });
}

test("without a ticket: A420201 and A421201, CALLER_ERROR", async (t) => {
  const { api } = await ask(t);
  for (const ticket of [undefined, null, ""]) {
    t.like(await api.authAuthorizationTicketInfo({ ticket }), { resultCode: "A420201", action: "CALLER_ERROR" });
    t.like(await api.authAuthorizationTicketUpdate({ ticket, info: "a" }), {
      resultCode: "A421201",
      action: "CALLER_ERROR",
    });
  }
});

test("an update without information: A421202, CALLER_ERROR, and the text stays", async (t) => {
  const { api, ticket } = await ask(t, "session=42");
  for (const info of [undefined, null, "", {}, { context: null }, { context: "" }]) {
    const answer = await api.authAuthorizationTicketUpdate({ ticket, info });
    t.like(answer, { resultCode: "A421202", action: "CALLER_ERROR" });
  }
  t.deepEqual((await api.authAuthorizationTicketInfo({ ticket })).info, { context: "session=42" });
});

const gone: readonly (readonly [what: string, make: (asked: Asked) => Promise<Pick<Asked, "api" | "ticket">>])[] = [
  ["that is unknown", ({ api, ticket }) => Promise.resolve({ api, ticket: `${ticket}=` })],
  ["of another service", ({ byHand, ticket }) => Promise.resolve({ api: byHand.operations(serviceId + 1), ticket })],
  [
    "that gave a code",
    async ({ api, ticket }) => {
      await api.authAuthorizationIssue({ ticket, subject: "john" });
      return { api, ticket };
    },
  ],
  [
    "that came to nothing",
    async ({ api, ticket }) => {
      await api.authAuthorizationFail({ ticket, reason: "DENIED" });
      return { api, ticket };
    },
  ],
  [
    "that has expired",
    ({ byHand, api, ticket }) => {
      byHand.setClock(startInstant + 86_400_000);
      return Promise.resolve({ api, ticket });
    },
  ],
];

for (const [what, make] of gone) {
  test(`a ticket ${what}: A420301 and A421301, NOT_FOUND`, async (t) => {
    const { api, ticket } = await make(await ask(t, "session=42"));
    t.deepEqual(await api.authAuthorizationTicketInfo({ ticket }), {
      resultCode: "A420301",
      resultMessage: "[A420301] The ticket is unknown, used or expired.",
      action: "NOT_FOUND",
    });
    const answer = await api.authAuthorizationTicketUpdate({ ticket, info: "a" });
    t.like(answer, { resultCode: "A421301", action: "NOT_FOUND" });
    t.false("info" in answer);
  });
}
