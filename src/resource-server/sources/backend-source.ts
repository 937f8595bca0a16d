import type { IntrospectionOperations } from "../../api-client/introspection-caller.ts";
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
      const answer = await backend.authIntrospectionStandard({ parameters }, { signal });
      const { responseContent, invalidationKeys = [] } = answer;
      return {
        record: readStandardAnswer(answer),
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
