/**
 * What nothing uses is an error: files, exports, types, members and dependencies. Below is what knip cannot see for itself:
 * programs and workers that are started by their paths.
 */
export default {
  entry: [
    "examples/**/*.ts",
    "bench/**/*.ts",
    "tools/*.{ts,mjs}",
    "ava*.config.js",
    "test/**/*.{test,faults,browser,proxies,scale,corpora,pack}.ts",
    "test/**/*-{program,process}.ts",
    "src/backend/store/sqlite/*-worker.ts",
    "src/cli/configuration-worker.ts",
    "test/backend/store/sqlite/*-{writer,reader}.ts",
    // Copied into the folder where the packed library is installed.
    "test/package/programs/*.ts",
    // Compiled, never run: a type error in it fails `npm run check:types`.
    "test/resource-server/middleware/typed.ts",
  ],
  project: ["src/**/*.ts", "test/**/*.ts", "examples/**/*.ts", "bench/**/*.ts", "tools/**/*.{ts,mjs}"],
  // test/package runs its command `attw`.
  ignoreDependencies: ["@arethetypeswrong/cli"],
  // A Fastify plugin has a default export and a named one.
  exclude: ["duplicates"],
  // Of the system, not of a package.
  ignoreBinaries: ["openssl", "script", "taskset"],
};
