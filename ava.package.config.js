export default {
  files: ["test/package/**/*.pack.ts"],
  extensions: ["ts"],
  workerThreads: false,
  nodeArguments: ["--conditions=certbound-source", "--disable-warning=ExperimentalWarning"],
  timeout: "10m",
};
