import { styleText } from "node:util";
import type { DestinationStream } from "pino";

/** What a line begins with; the rest follows as `name=value`. */
const leading: ReadonlySet<string> = new Set(["level", "time", "msg", "err"]);
const indented = "    ";

/**
 * Turns the log's JSON lines into text: time, level, message, then `name=value`; an error follows on lines of its own,
 * indented. Characters that are not printable are escaped, so that text in a line can neither end it nor send commands
 * to the terminal: pino-pretty writes line ends and control characters unchanged.
 *
 * @example createLog({ level: "info", stream: textLogStream(process.stdout, { colour: true }) })
 */
export function textLogStream(stream: DestinationStream, { colour }: { readonly colour: boolean }): DestinationStream {
  return {
    write(line) {
      stream.write(textOf(JSON.parse(line) as Record<string, unknown>, colour));
    },
  };
}

function textOf(record: Readonly<Record<string, unknown>>, colour: boolean): string {
  const { level, time, msg, err } = record;
  // A line may have a member of this name besides; the last one counts.
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
