import configuration from "./ava.config.js";

/** Real proxies, each with the configuration that is shipped for it. */
export default { ...configuration, files: ["test/proxies/**/*.proxies.ts"] };
