// Given to node with --import: at exit, writes what was loaded, by import and require alike, as [module, importer].
import { registerHooks } from "node:module";

const loaded = new Map();
registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context);
    const load = [resolved.url, context.parentURL ?? ""];
    loaded.set(load.join(" "), load);
    return resolved;
  },
});
process.on("exit", (code) => {
  if (code === 0) process.stdout.write(JSON.stringify([...loaded.values()]));
});
