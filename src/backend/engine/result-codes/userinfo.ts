/** The result codes of `auth/userinfo` and `auth/userinfo/issue`, each with its sentence for people. */
export const userinfoSentences = {} as const;
