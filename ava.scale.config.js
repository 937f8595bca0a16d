import configuration from "./ava.config.js";

/** The store with a million tokens in it: minutes, not seconds. */
export default { ...configuration, files: ["test/scale/**/*.scale.ts"], timeout: "10m" };
