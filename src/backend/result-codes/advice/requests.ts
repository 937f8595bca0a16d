import { callerIsWrong, ordinary } from "../advice.ts";

/** `parameters` is missing. */
export const handBodyOn = callerIsWrong("Let the front end pass the body of the client's request on as `parameters`.");

/** The client asks for scopes that it cannot have. */
export const scopes = ordinary(
  "Compare the scopes that the client asks for with `supportedScopes` of the service and `requestableScopes` of the client.",
);

/** `subject` is missing or malformed. */
export const userId = callerIsWrong(
  "Let the front end send the user's id as `subject`: 1 to 100 characters of printable ASCII, no client's id.",
);
