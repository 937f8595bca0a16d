import type { IssueTokens } from "../../store/command.ts";
import { newAttempt } from "../attempt.ts";
import type { Dependencies } from "../dependencies.ts";
import type { Client, Service } from "../management/settings-memo.ts";
import type { TokenSet } from "./token-set.ts";

/** The command that keeps a token set, for as long as service and client are those that were decided upon. */
export function issueCommand(
  { random }: Dependencies,
  service: Service,
  client: Client,
  kept: TokenSet["kept"],
  from: Pick<IssueTokens, "source" | "grant"> = {},
): IssueTokens {
  return {
    name: "issue-tokens",
    attempt: newAttempt(random),
    serviceId: service.settings.apiKey,
    serviceVersion: service.version,
    clientId: client.settings.clientId,
    clientVersion: client.version,
    ...kept,
    ...from,
  };
}
