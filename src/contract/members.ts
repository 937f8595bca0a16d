import { z } from "zod";
import { apiNames, clientAuthenticationMethods, grantTypes } from "../oauth/registered-names.ts";

/** The limit of a request body, which no member can exceed. */
const oneMebibyte = 1_048_576;

/** An optional request member. `null` counts as absent, because public clients send it (Authlete's API). */
export const text = (description: string) => z.string().max(oneMebibyte).nullish().describe(description);
export const flag = (description: string) => z.boolean().nullish().describe(description);
/** In seconds, at most a signed 32-bit integer, so that computed times stay exact numbers. */
export const duration = (description: string) =>
  z.int().min(0).max(2_147_483_647).nullish().describe(description).meta({ format: "int64" });
export const texts = (description: string) =>
  z.array(z.string().max(oneMebibyte)).max(1000).nullish().describe(description);

/** A certificate as PEM; public clients also send it on one line or without the final newline. */
export const certificatePem = text(
  "The client's TLS certificate as PEM, from the front end's own mutual TLS connection.",
);

/** Arbitrary data of a token. Hidden properties are not in token responses and standard introspection. */
export const property = z
  .object({ key: z.string().min(1).max(255), value: z.string().max(65_535), hidden: z.boolean().nullish() })
  .meta({ id: "Property", description: "Arbitrary data of a token." });

/** A key and a value, as in `serviceAttributes` and `clientAttributes`. */
export const pair = z
  .object({ key: z.string(), value: z.string() })
  .meta({ id: "Pair", description: "A key and a value." });

export const scope = z
  .object({
    name: z.string(),
    defaultEntry: z.boolean().optional(),
    description: z.string().optional(),
    attributes: z.array(pair).optional(),
  })
  .meta({ id: "Scope", description: "A scope as the service defines it." });

export const grantType = z.enum(apiNames(grantTypes)).meta({ id: "GrantType" });

export const clientAuthMethod = z.enum(apiNames(clientAuthenticationMethods)).meta({ id: "ClientAuthMethod" });

/** The two members that every answer has. */
export const result = {
  resultCode: z.string().describe("The outcome as a code, for example `A056001`."),
  resultMessage: z.string().describe("The code in brackets and a sentence; for humans."),
};

export const milliseconds = (description: string) =>
  z.int().describe(`${description}, in milliseconds since 1970.`).meta({ format: "int64" });
export const seconds = (description: string) =>
  z.int().describe(`${description}, in seconds.`).meta({ format: "int64" });
/** An extension. Seconds can be counted on a monotonic clock, so a wrong wall clock does not matter. */
export const secondsLeft = z
  .number()
  .min(0)
  .describe(
    "An extension of this backend: the remaining lifetime of the token in seconds, to the millisecond. Count it on a monotonic clock from when the request was sent; then wall clocks need not agree.",
  );
export const identifier = (description: string) => z.int().describe(description).meta({ format: "int64" });

/** The end of year 9999 in milliseconds. */
const lastInstant = 253_402_300_799_999;

/** An instant in a request; 0 counts as absent. */
export const instant = (description: string) =>
  z
    .int()
    .min(0)
    .max(lastInstant)
    .nullish()
    .describe(`${description}, in milliseconds since 1970.`)
    .meta({ format: "int64" });

/** The number of a client in a request; 0 counts as absent. */
export const clientNumber = (description: string) =>
  z.int().min(0).nullish().describe(description).meta({ format: "int64" });

/** An unsupported member of any type; a request with a value is refused. */
export const unsupported = z.unknown().optional().describe("Not supported: a request with a value is refused.");

export const unsupportedText = text("Not supported: a request with a value is refused.");

export const unsupportedFlag = flag("Not supported: a request with `true` is refused.");

/** The SHA-256 of a token, as base64url without padding. */
export const tokenHash = (description: string) => z.string().describe(`${description}: SHA-256 as base64url.`);

export const tokenProperties = (description: string) => z.array(property).max(100).nullish().describe(description);

export type Property = z.infer<typeof property>;
export type Pair = z.infer<typeof pair>;
export type Scope = z.infer<typeof scope>;
