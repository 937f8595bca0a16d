import { z } from "zod";
import * as member from "./members.ts";

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

export const unsupportedText = member.text("Not supported: a request with a value is refused.");
export const unsupportedFlag = member.flag("Not supported: a request with `true` is refused.");

/** A token or what it is kept as: SHA-256 of it as base64url without padding. */
export const tokenHash = (description: string) => z.string().describe(`${description}: SHA-256 as base64url.`);

export const tokenProperties = (description: string) =>
  z.array(member.property).max(100).nullish().describe(description);
