/** The result codes of callers of the API that are not accepted, each with its sentence for people. */
export const apiCallerSentences = {
  A003201: "The service is not known.",
  A003204: "The credentials of the service are wrong.",
  A458101: "The service access token is not accepted for this service.",
} as const;
