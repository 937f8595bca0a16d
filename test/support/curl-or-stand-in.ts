import { fileURLToPath } from "node:url";

const standIn = fileURLToPath(new URL("curl.ts", import.meta.url));

/**
 * A line for a shell: `npm test` needs no curl, so where there is none, a small stand-in takes its place for the options
 * that documents use.
 */
export const curlOrStandIn = `command -v curl >/dev/null || curl() { ${JSON.stringify(process.execPath)} ${JSON.stringify(standIn)} "$@"; }`;
