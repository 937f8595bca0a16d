import process from "node:process";

/** Tests look for `openssl` where the shell does. */
export const opensslPath = process.env["PATH"] ?? "";
