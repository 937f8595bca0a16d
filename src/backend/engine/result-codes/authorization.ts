/** The result codes of `auth/authorization` and what belongs to it, each with its sentence for people. */
export const authorizationSentences = {} as const;
