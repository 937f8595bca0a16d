import type { Command, PutConfiguration } from "../command.ts";
import { endGrant, revokeAccessToken, updateToken } from "./change-tokens.ts";
import { eventStatements } from "./command-events.ts";
import { putConfigurationStatements } from "./configuration.ts";
import { issueTokens } from "./issue-tokens.ts";
import { revokeTokens } from "./revocations.ts";
import type { Plan } from "./statement.ts";
import { consumeTicket, issueCode, keepTicket, updateTicket, useAssertion } from "./tickets-and-codes.ts";

function putConfiguration(command: PutConfiguration): Plan {
  return { statements: putConfigurationStatements(command), applied: undefined };
}

const plans = {
  "put-configuration": putConfiguration,
  "keep-ticket": keepTicket,
  "update-ticket": updateTicket,
  "consume-ticket": consumeTicket,
  "issue-code": issueCode,
  "issue-tokens": issueTokens,
  "use-assertion": useAssertion,
  "update-token": updateToken,
  "revoke-tokens": revokeTokens,
  "revoke-access-token": revokeAccessToken,
  "end-grant": endGrant,
  // Its event is all there is of it.
  "invalidate-token": (): Plan => ({ statements: [], applied: undefined }),
} satisfies { [Name in Command["name"]]: (command: Extract<Command, { name: Name }>) => Plan };

/** The statements of a command, its events last, and how to tell that they were run before. */
export function planCommand(command: Command): Plan {
  // The table above pairs each name with its own command; that is lost when it is looked up by a union of names.
  const plan = plans[command.name] as (command: Command) => Plan;
  const { statements, applied } = plan(command);
  return { statements: [...statements, ...eventStatements(command)], applied };
}
