/** The result codes of the management of tokens, each with its sentence for people. */
export const managementSentences = {} as const;
