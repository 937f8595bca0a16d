import configuration from "./ava.config.js";

/** What happens when backend, network or API fail, each a process of its own: minutes, not seconds. */
export default { ...configuration, files: ["test/faults/**/*.faults.ts"], timeout: "5m" };
