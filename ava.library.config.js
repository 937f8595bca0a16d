import configuration from "./ava.config.js";

const installed = process.env["INSTALLED_CERTBOUND"];
if (installed === undefined)
  throw new Error("INSTALLED_CERTBOUND must be the folder of the installed package, as a URL.");
const hooks = new URL(`test/package/installed-library.mjs?${encodeURIComponent(installed)}`, import.meta.url);

/** The library's own tests over the installed package instead of src/, on whichever Node runs this. */
export default {
  ...configuration,
  files: [
    "test/oauth/**/*.test.ts",
    "test/x509/**/*.test.ts",
    "test/jose/**/*.test.ts",
    "test/client-certificate/**/*.test.ts",
    "test/api-client/**/*.test.ts",
    "test/resource-server/**/*.test.ts",
    "test/bound-client/**/*.test.ts",
  ],
  nodeArguments: [...configuration.nodeArguments, `--import=${hooks.href}`],
};
