export default {
  files: ["test/**/*.test.ts"],
  extensions: ["ts"],
  // Real processes, signals and native TLS state: worker threads would share them.
  workerThreads: false,
  nodeArguments: ["--conditions=certbound-source", "--disable-warning=ExperimentalWarning"],
  timeout: "120s",
};
