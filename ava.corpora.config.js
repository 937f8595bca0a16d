import configuration from "./ava.config.js";

/** The longer suites over certificate corpora that are not in this repository. */
export default { ...configuration, files: ["test/certificate-corpora/**/*.corpora.ts"] };
