import test from "ava";

const shared = ["protect", "requireScopes", "serveMetadata"];

for (const [entry, names] of Object.entries({
  "certbound/koa": shared,
  "certbound/express": ["accessTokenOf", ...shared],
  "certbound/fastify": ["accessTokenOf", "certbound", "default", "serveMetadata"],
  "certbound/node": ["protect", "protectUpgrade", "requireScopes", "serveMetadata", "serverTimeouts"],
})) {
  test(`${entry} hands out what a program of its framework needs, and no source of certificates`, async (t) => {
    t.deepEqual(Object.keys((await import(entry)) as object).sort(), names);
  });
}
