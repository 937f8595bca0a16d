import { z } from "zod";
import { type LogFormat, type LogLevel, processDefaults } from "./configuration.ts";
import type { Problem } from "./configuration-error.ts";
import { path, secretReference, textOrFile } from "./references.ts";
import { serviceMembers } from "./service-members.ts";

const logLevels = ["silent", "fatal", "error", "warn", "info", "debug", "trace"] as const satisfies readonly LogLevel[];

const logFormats = ["auto", "json", "text"] as const satisfies readonly LogFormat[];

const listen = z.strictObject({
  host: z.string().min(1).exactOptional(),
  port: z.int().min(0).max(65_535).exactOptional(),
  unix: path.exactOptional(),
  tls: z
    .strictObject({
      certificate: textOrFile,
      key: secretReference,
      minVersion: z.enum(["TLSv1.2", "TLSv1.3"]).default("TLSv1.2"),
    })
    .exactOptional(),
  behindTls: z.boolean().exactOptional(),
});

/** Seconds. */
const oneWeek = 7 * 24 * 3600;

const configurationFile = z.strictObject({
  listen: listen.default({}),
  store: z.strictObject({ sqlite: path }),
  secretKey: secretReference.exactOptional(),
  log: z
    .strictObject({ level: z.enum(logLevels).default("info"), format: z.enum(logFormats).default("auto") })
    .default({ level: "info", format: "auto" }),
  events: z
    .strictObject({
      // Watchers trust their caches for one second (the default `cache.lease`): slower heartbeats would let that lapse.
      heartbeatInterval: z.number().min(0.05).max(0.5).default(processDefaults.events.heartbeatInterval),
      retention: z.int().min(60).max(oneWeek).default(processDefaults.events.retention),
    })
    .default(processDefaults.events),
  sweep: z
    .strictObject({
      interval: z.int().min(1).max(3600).default(processDefaults.sweep.interval),
      // Not below the seconds for which the response to a refresh can be repeated.
      expiredRetention: z.int().min(60).max(oneWeek).default(processDefaults.sweep.expiredRetention),
    })
    .default(processDefaults.sweep),
  services: z.array(serviceMembers).default([]),
});

export type ConfigurationFile = z.infer<typeof configurationFile>;
export type ListenMembers = ConfigurationFile["listen"];

export type FileReading = { readonly file: ConfigurationFile } | { readonly problems: readonly Problem[] };

/**
 * Checks the shape of a configuration and fills in the defaults; any member that is not known is a problem.
 *
 * @example checkShape({ store: { sqlite: ":memory:" }, sevices: [] }).problems // sevices is not a known member
 */
export function checkShape(value: unknown): FileReading {
  const parsed = configurationFile.safeParse(value, { error: sentenceFor });
  if (parsed.success) return { file: parsed.data };
  return { problems: parsed.error.issues.flatMap(problemsOf) };
}

/** The sentence follows the path: `listen.port must be a whole number`. Values are never quoted. */
function sentenceFor(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.input === undefined) return "is missing";
  if (issue.input === null) return "has no value";
  if (issue.code === "invalid_type") return `must be ${article[issue.expected] ?? issue.expected}`;
  if (issue.code === "invalid_value") return `must be one of ${issue.values.map(String).join(", ")}`;
  if (issue.code === "too_big")
    return `must be at most ${issue.maximum}${issue.origin === "string" ? " characters" : ""}`;
  if (issue.code !== "too_small") return undefined;
  if (issue.origin === "string" || issue.origin === "array") return "must not be empty";
  return `must be ${issue.inclusive === true ? "at least" : "more than"} ${issue.minimum}`;
}

const article: Partial<Record<string, string>> = {
  string: "a text",
  int: "a whole number",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "a mapping",
};

function problemsOf(issue: z.core.$ZodIssue): Problem[] {
  if (issue.code !== "unrecognized_keys") return [{ path: pathOf(issue.path), sentence: issue.message }];
  return issue.keys.map((key) => ({ path: pathOf([...issue.path, key]), sentence: "is not a known member" }));
}

function pathOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>((before, step) => {
    if (typeof step === "number") return `${before}[${step}]`;
    return before === "" ? String(step) : `${before}.${String(step)}`;
  }, "");
}
