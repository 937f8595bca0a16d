import type { AnswerHeaders, IntrospectionOperations } from "../../api-client/introspection-caller.ts";
import { answeredAtByDate, answeredAtByLife } from "./answered-at.ts";
import type { FactsAnswer, FactsSource } from "./facts-source.ts";
import { readStandardAnswer } from "./introspection-answer.ts";

/**
 * Facts from a certbound backend, or any API of that shape: by `auth/introspection/standard`, which checks no
 * certificate and gets neither certificate nor requirement.
 *
 * @example const source = backendSource(createIntrospectionCaller(connection))
 */
export function backendSource(
  backend: IntrospectionOperations,
  close: () => Promise<void> = () => Promise.resolve(),
): FactsSource {
  return {
    async ask(token, { signal }): Promise<FactsAnswer> {
      const parameters = `token=${encodeURIComponent(token)}&token_type_hint=access_token`;
      let byDate: number | undefined;
      const onHeaders = (headers: AnswerHeaders): void => {
        byDate = answeredAtByDate(headers);
      };
      const answer = await backend.authIntrospectionStandard({ parameters }, { signal, onHeaders });
      const { responseContent, invalidationKeys = [], expiresIn } = answer;
      const record = readStandardAnswer(answer);
      const expiresAt = record.facts.active && record.facts.exp !== undefined ? record.facts.exp * 1000 : undefined;
      return {
        record,
        answeredAt: answeredAtByLife("expiresIn", expiresAt, expiresIn) ?? byDate,
        invalidationKeys,
        size:
          typeof responseContent === "string" ? responseContent.length : JSON.stringify(responseContent ?? "").length,
        reusable: true,
      };
    },
    events: backend.authIntrospectionEvents?.bind(backend),
    close,
  };
}
