import { styleText } from "node:util";
import {
  type Bindings,
  type ChildLoggerOptions,
  type DestinationStream,
  type LevelWithSilent,
  type Logger,
  pino,
  stdTimeFunctions,
} from "pino";
import type { LogFormat } from "../configuration/configuration.ts";

/** The first members of a line; the rest follows as `name=value`. */
const leading: ReadonlySet<string> = new Set(["level", "time", "msg", "err"]);
const indented = "    ";

/**
 * Turns the log's JSON lines into text: time, level, message, then `name=value`; an error follows on indented lines.
 * Unprintable characters are escaped, so that text in a line can neither end it nor send commands to the terminal:
 * pino-pretty writes line ends and control characters unchanged.
 *
 * @example createLog({ level: "info", stream: textLogStream(process.stdout, { colour: true }) })
 */
function textLogStream(stream: DestinationStream, { colour }: { readonly colour: boolean }): DestinationStream {
  return {
    write(line) {
      stream.write(textOf(JSON.parse(line) as Record<string, unknown>, colour));
    },
  };
}

function textOf(record: Readonly<Record<string, unknown>>, colour: boolean): string {
  const { level, time, msg, err } = record;
  // A line may contain this name a second time; the last one counts.
  const label = visible(typeof level === "string" ? level : "")
    .toUpperCase()
    .padEnd(5);
  const members = Object.entries(record)
    .filter(([name]) => !leading.has(name))
    .map(([name, value]) => `${visible(name)}=${valueOf(value)}`);
  const said = typeof msg === "string" ? [visible(msg)] : [];
  const line = [visible(String(time)), colour ? coloured(level, label) : label, ...said, ...members].join(" ");
  return `${line}\n${errorLines(err)}`;
}

function coloured(level: unknown, label: string): string {
  const style = level === "warn" ? "yellow" : level === "error" || level === "fatal" ? "red" : "green";
  return styleText(style, label, { validateStream: false });
}

/** As it is when it cannot be mistaken for something else; otherwise as JSON. */
function valueOf(value: unknown): string {
  if (typeof value === "string" && /^[\x21\x23-\x3c\x3e-\x7e]+$/.test(value)) return value;
  return visible(JSON.stringify(value));
}

/** The stack of an error and of its causes; their members have been chosen by the log. */
function errorLines(err: unknown): string {
  if (typeof err !== "object" || err === null) return "";
  const { stack, type, message, cause } = err as Readonly<Record<string, unknown>>;
  const text = typeof stack === "string" ? stack : `${String(type)}: ${String(message)}`;
  const lines = text.split("\n").map((line) => `${indented}${visible(line.trimEnd())}\n`);
  return `${lines.join("")}${errorLines(cause)}`;
}

/** Everything but printable ASCII as `\u{…}`, also letters of other scripts: some reverse the direction of text. */
function visible(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** Members that carry what opens something; compared without regard to case. */
const secretMembers: ReadonlySet<string> = new Set(
  [
    ["authorization", "proxy-authorization", "cookie", "set-cookie", "password", "secret", "privateKey"],
    ["parameters", "responseContent", "body", "ticket", "dpop", "assertion", "client_assertion"],
    ["token", "accessToken", "access_token", "refreshToken", "refresh_token", "jwtAccessToken", "idToken", "id_token"],
    ["clientSecret", "client_secret", "apiSecret", "sharedKeyForSign", "sharedKeyForEncryption"],
    ["clientCertificate", "clientCertificatePath", "certificate", "pem"],
  ].flatMap((names) => names.map((name) => name.toLowerCase())),
);

const censored = "[redacted]";
const deepest = 6;

/**
 * Creates the log: a JSON object or a line of text per record, with secrets redacted by the name of their member at any
 * depth. The default format is JSON; `time` is ISO 8601.
 *
 * Errors are reduced to type, message, code, stack and cause. Messages are not redacted: write none that quotes input.
 * pino's own `redact` costs 20 µs per line once its paths have wildcards; this costs nothing for a flat line without
 * secrets.
 *
 * @example createLog({ level: "info", stream: process.stdout }).info({ status: 200 }, "request")
 */
export function createLog(options: LogOptions): Logger {
  const withoutSecrets = (record: Record<string, unknown>): Record<string, unknown> => redact(record, 0);
  const log = pino(
    {
      level: options.level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: withoutSecrets },
      // The formatter above has described errors already.
      serializers: { err: (described: unknown) => described },
    },
    streamOf(options),
  );
  // pino formats the bindings of the log itself, but not those of its children; they inherit this method.
  const { child } = Object.getPrototypeOf(log) as ParentOfLogs;
  function redactingChild(this: Logger, bindings: Bindings, childOptions?: ChildLoggerOptions): Logger {
    return child.call(this, withoutSecrets(bindings), childOptions);
  }
  return Object.assign(log, { child: redactingChild });
}

/** How and where the log is written. */
export interface LogOptions {
  readonly level: LevelWithSilent;
  readonly stream: DestinationStream;
  /** Default: JSON. */
  readonly format?: LogFormat;
  readonly isTerminal?: boolean;
  /** The value of NO_COLOR: any text but "" means that nothing is coloured. */
  readonly noColor?: string | undefined;
}

function streamOf({ stream, format = "json", isTerminal = false, noColor = "" }: LogOptions): DestinationStream {
  if (format === "json" || (format === "auto" && !isTerminal)) return stream;
  return textLogStream(stream, { colour: isTerminal && noColor === "" });
}

interface ParentOfLogs {
  readonly child: (this: Logger, bindings: Bindings, options?: ChildLoggerOptions) => Logger;
}

/** The record itself when nothing needs to change, which is the common case. */
function redact(record: Record<string, unknown>, depth: number): Record<string, unknown> {
  let changed: Record<string, unknown> | undefined;
  for (const [name, value] of Object.entries(record)) {
    const shown = secretMembers.has(name.toLowerCase()) ? redactWhole(value) : redactValue(value, depth + 1);
    if (shown !== value) (changed ??= { ...record })[name] = shown;
  }
  return changed ?? record;
}

function redactWhole(value: unknown): unknown {
  return value === undefined || value === null ? value : censored;
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (depth > deepest) return "[too deep]";
  if (value instanceof Error) return describeError(value, depth);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return "[octets]";
  if (Array.isArray(value)) return value.map((element: unknown) => redactValue(element, depth + 1));
  return redact(value as Record<string, unknown>, depth);
}

function describeError(error: Error, depth: number): Record<string, unknown> {
  return {
    type: error.name,
    message: error.message,
    code: "code" in error && ["string", "number"].includes(typeof error.code) ? error.code : undefined,
    stack: error.stack,
    cause: redactValue(error.cause, depth + 1),
  };
}
