/** The result codes that the HTTP layer answers before an operation decides; its answers say more exactly what is wrong. */
export const httpSentences = {
  A000201: "The path, the method or the form of the request is not one that the API has.",
  A001101: "The request could not be processed.",
  A001202: "The Authorization header is missing.",
  A001203: "The Authorization header is malformed.",
  A001223: "The request asks for what this backend does not support.",
  A126202: "The request does not have the right shape.",
  A126203: "The request body is missing.",
  A258201: "The Content-Type header is missing or is not one that the API takes.",
} as const;
