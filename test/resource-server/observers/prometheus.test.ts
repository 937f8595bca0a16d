import test from "ava";
import { Counter, Registry } from "prom-client";
import { prometheusObserver } from "../../../src/resource-server/observers/prometheus.ts";
import { createAuthority } from "../../support/certificates.ts";
import { factsBoundTo, startProtectedApi } from "../../support/protected-api.ts";
import { boundFacts, createScripted, otherX5tS256 } from "../../support/scripted-backend.ts";

/** The samples of a scrape: each line of the text that is one, name and labels to value. */
async function scrape(registry: { metrics(): Promise<string> }): Promise<ReadonlyMap<string, number>> {
  const lines = (await registry.metrics()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]));
}

const issuer = "https://as.example.com";

test("decisions, their time, where facts came from and lost bindings are in the scrape", async (t) => {
  const registry = new Registry();
  const { backend, authorize, pass } = createScripted({
    issuer,
    onDecision: prometheusObserver({ registry }),
    onWarning: () => undefined,
  });
  const before = await scrape(registry);
  t.deepEqual(
    [...before.keys()].filter((name) => name.includes("issuer=")),
    [],
  );
  backend.tokens.set("good", boundFacts());
  backend.tokens.set("unbound", boundFacts({ cnf: undefined }));
  backend.before = () => {
    pass(30);
  };
  for (let n = 0; n < 3; n++) await authorize("good");
  await t.throwsAsync(authorize("good", { certificate: { x5tS256: otherX5tS256 } }));
  await t.throwsAsync(authorize("unbound"));
  backend.before = () => {
    pass(300);
    throw new Error("down");
  };
  await t.throwsAsync(authorize("other"));

  const samples = await scrape(registry);
  const decisions = (outcome: string, code: string) =>
    samples.get(`certbound_decisions_total{outcome="${outcome}",code="${code}",issuer="${issuer}"}`);
  t.is(decisions("granted", "granted"), 3);
  t.is(decisions("refused", "certificate_mismatch"), 1);
  t.is(decisions("refused", "token_unbound"), 1);
  t.is(decisions("unavailable", "introspection_unavailable"), 1);
  t.is(samples.get(`certbound_facts_total{facts="remembered",issuer="${issuer}"}`), 3);
  t.is(samples.get(`certbound_facts_total{facts="asked",issuer="${issuer}"}`), 2);
  t.is(samples.get(`certbound_binding_lost_total{issuer="${issuer}"}`), 1);
  const duration = (rest: string) => samples.get(`certbound_decision_duration_seconds_${rest}`);
  t.is(duration('count{outcome="granted"}'), 3);
  t.is(duration('sum{outcome="granted"}'), 0.03);
  t.is(duration('bucket{le="0.00001",outcome="granted"}'), 2, "from memory");
  t.is(duration('bucket{le="0.05",outcome="granted"}'), 3);
  t.is(duration('bucket{le="0.25",outcome="unavailable"}'), 0);
  t.is(duration('bucket{le="0.5",outcome="unavailable"}'), 1);
});

test("the counter of lost bindings exists before the first loss, so that an alert sees its increase", async (t) => {
  const registry = new Registry();
  const { backend, authorize } = createScripted({ issuer, onDecision: prometheusObserver({ registry }) });
  backend.tokens.set("good", boundFacts());
  await authorize("good");
  t.is((await scrape(registry)).get(`certbound_binding_lost_total{issuer="${issuer}"}`), 0);
});

test("over HTTP every request counts, those without a token too", async (t) => {
  const registry = new Registry();
  const certificate = createAuthority({ subject: "CN=Client CA" }).issue({ subject: "CN=client-a" });
  const api = await startProtectedApi(t, { library: { onDecision: prometheusObserver({ registry }) } });
  api.backend.tokens.set("token-a", factsBoundTo(certificate));
  await api.get("token-a", certificate);
  await api.get("token-a");
  await api.get(undefined);
  await api.get("token-a", certificate, { url: `${api.url}/pay` });
  const samples = await scrape(registry);
  const counted = [...samples].filter(([name]) => name.startsWith("certbound_decisions_total"));
  t.deepEqual(
    counted,
    [
      ["granted", "granted", 2],
      ["refused", "certificate_missing", 1],
      ["refused", "credentials_missing", 1],
      ["refused", "scope_insufficient", 1],
    ].map(([outcome, code, count]) => [
      `certbound_decisions_total{outcome="${outcome ?? ""}",code="${code ?? ""}",issuer=""}`,
      count,
    ]),
  );
});

test("label values do not grow with tokens, clients, users or the issuer names in answers", async (t) => {
  const registry = new Registry();
  const { backend, authorize } = createScripted({ onDecision: prometheusObserver({ registry }) });
  for (let n = 0; n < 50; n++) {
    const facts = { client_id: `client-${n}`, sub: `user-${n}`, iss: `https://${n}.example`, scope: `s-${n}` };
    backend.tokens.set(`token-${n}`, boundFacts(facts));
    await authorize(`token-${n}`);
    await t.throwsAsync(authorize(`token-${n}`, { requirement: { scopes: [`other-${n}`] } }));
  }
  const text = await registry.metrics();
  t.notRegex(text, /client-|user-|token-|other-|\.example/);
  t.is([...(await scrape(registry)).keys()].filter((name) => name.startsWith("certbound_decisions")).length, 2);
});

test("names, help texts and types are as Prometheus wants them", async (t) => {
  const registry = new Registry();
  const { backend, authorize } = createScripted({ onDecision: prometheusObserver({ registry, prefix: "api_" }) });
  backend.tokens.set("good", boundFacts());
  await authorize("good");
  const text = await registry.metrics();
  for (const [name, type] of [
    ["api_decisions_total", "counter"],
    ["api_decision_duration_seconds", "histogram"],
    ["api_facts_total", "counter"],
    ["api_binding_lost_total", "counter"],
  ] as const) {
    t.true(text.includes(`# TYPE ${name} ${type}\n`), name);
    t.regex(text, new RegExp(`# HELP ${name} .+\\.\n`));
  }
  const open = new Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>();
  open.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  prometheusObserver({ registry: open })({
    outcome: "granted",
    code: "granted",
    issuer: undefined,
    clientId: undefined,
    facts: undefined,
    startedAt: 0,
    duration: 1,
    bindingLost: false,
    diagnosis: undefined,
    accessToken: undefined,
  });
  t.regex(await open.metrics(), /# TYPE certbound_decisions counter\n[^]*# EOF/);
});

test("two resource servers with one registry add up, and after it was cleared counting starts anew", async (t) => {
  const registry = new Registry();
  const name = 'certbound_decisions_total{outcome="refused",code="token_unknown",issuer=""}';
  const refuse = async () => {
    const { authorize } = createScripted({ onDecision: prometheusObserver({ registry }) });
    await t.throwsAsync(authorize("unknown"));
    return (await scrape(registry)).get(name);
  };
  t.is(await refuse(), 1);
  t.is(await refuse(), 2);
  registry.clear();
  t.is(await refuse(), 1);
});

test("somebody else's metric of the name is not touched: another prefix is asked for", (t) => {
  const registry = new Registry();
  new Counter({ name: "certbound_facts_total", help: "Ours.", registers: [registry] });
  t.throws(() => prometheusObserver({ registry }), {
    instanceOf: TypeError,
    message: /^prefix .*certbound_facts_total/,
  });
  t.is(registry.getMetricsAsArray().length, 1);
  t.notThrows(() => prometheusObserver({ registry, prefix: "api_" }));
});

test("a wrong option is refused by its name", (t) => {
  const registry = new Registry();
  for (const [options, message] of [
    [{}, /^registry /],
    [{ registry: {} }, /^registry /],
    [{ registry: null }, /^registry /],
    [{ registry, prefix: "" }, /^prefix /],
    [{ registry, prefix: "8705_" }, /^prefix /],
    [{ registry, prefix: "with blank" }, /^prefix /],
    [{ registry, prefix: 1 }, /^prefix /],
    [{ registry, buckets: [1] }, /^buckets /],
  ] as const) {
    const error = t.throws(() => prometheusObserver(options as never), { instanceOf: TypeError, message });
    t.like(error, { code: "ERR_INVALID_OPTION" });
  }
});
