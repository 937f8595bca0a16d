import { z } from "zod";
import { apiNames, clientAuthenticationMethods, grantTypes } from "../oauth/registered-names.ts";

/** Sizes: a request body is at most 1 MiB, so no single member can be larger; these are what each may sensibly be. */
const oneMebibyte = 1_048_576;

/** An optional request member: public clients send `null` for "not given" (Authlete's API). */
export const text = (description: string) => z.string().max(oneMebibyte).nullish().describe(description);
export const flag = (description: string) => z.boolean().nullish().describe(description);
/** Seconds; as large as a signed 32-bit integer, so that every instant computed with it stays an exact number. */
export const duration = (description: string) =>
  z.int().min(0).max(2_147_483_647).nullish().describe(description).meta({ format: "int64" });
export const texts = (description: string) =>
  z.array(z.string().max(oneMebibyte)).max(1000).nullish().describe(description);

/** A certificate as PEM text; public clients also send it on one line or without the final newline. */
export const certificatePem = text(
  "The client's TLS certificate as PEM text, as the front end took it from its own mutual TLS connection.",
);

/** Arbitrary data bound to a token; hidden properties are left out of token answers and standard introspection. */
export const property = z
  .object({ key: z.string().min(1).max(255), value: z.string().max(65_535), hidden: z.boolean().nullish() })
  .meta({ id: "Property", description: "Arbitrary data bound to a token." });

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
  resultMessage: z.string().describe("The code in brackets and a sentence; for people."),
};

export const milliseconds = (description: string) =>
  z.int().describe(`${description}, in milliseconds since 1970.`).meta({ format: "int64" });
export const seconds = (description: string) =>
  z.int().describe(`${description}, in seconds.`).meta({ format: "int64" });
/** An extension: seconds can be counted on a monotonic clock, so a wrong wall clock does no harm. */
export const secondsLeft = z
  .number()
  .min(0)
  .describe(
    "An extension of this backend: the seconds that the token has left when the answer is made, to the millisecond. Count them on a monotonic clock from when the request was sent; then no wall clocks have to agree.",
  );
export const identifier = (description: string) => z.int().describe(description).meta({ format: "int64" });

/** The last instant that a four-digit year can name, in milliseconds. */
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

/** A JSON value that is refused when it says anything. */
export const unsupported = z.unknown().optional().describe("Not supported: a request with a value is refused.");

export const unsupportedText = text("Not supported: a request with a value is refused.");

export const unsupportedFlag = flag("Not supported: a request with `true` is refused.");

/** A token or what it is kept as: SHA-256 of it as base64url without padding. */
export const tokenHash = (description: string) => z.string().describe(`${description}: SHA-256 as base64url.`);

export const tokenProperties = (description: string) => z.array(property).max(100).nullish().describe(description);

export type Property = z.infer<typeof property>;
export type Pair = z.infer<typeof pair>;
export type Scope = z.infer<typeof scope>;
