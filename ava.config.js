import { fileURLToPath } from "node:url";

export default {
  files: ["test/**/*.test.ts"],
  extensions: ["ts"],
  // Real processes, signals and native TLS state: worker threads would share them.
  workerThreads: false,
  nodeArguments: ["--conditions=certbound-source", "--disable-warning=ExperimentalWarning"],
  // Each file is a process that loads the same sources and packages: Node keeps what it has compiled.
  environmentVariables: { NODE_COMPILE_CACHE: fileURLToPath(new URL("node_modules/.cache/compiled", import.meta.url)) },
  timeout: "120s",
};
