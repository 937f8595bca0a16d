// Given to node with --import: what tests import from src/ comes from the installed package's dist/ instead, so that the
// library's own tests are run over what users get. The query of this module's URL is the package's folder, as a URL;
// child processes get both with the arguments that they inherit.
import { registerHooks } from "node:module";

const sources = new URL("../../src/", import.meta.url).href;
const built = new URL("dist/", decodeURIComponent(new URL(import.meta.url).search.slice(1))).href;

registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context);
    if (!resolved.url.startsWith(sources)) return resolved;
    const url = built + resolved.url.slice(sources.length).replace(/\.ts$/, ".js");
    return { ...resolved, url, format: "module" };
  },
});
