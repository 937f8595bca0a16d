import configuration from "./ava.config.js";

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
  nodeArguments: [...configuration.nodeArguments, "--import=./test/package/installed-library.mjs"],
};
