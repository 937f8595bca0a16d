import configuration from "./ava.config.js";

/** A real browser (Chromium) on the pages of the example authorization server. */
export default { ...configuration, files: ["test/browser/**/*.browser.ts"] };
