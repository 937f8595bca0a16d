import type { ProbeResult } from "./run-probe.ts";

/** So many lines for one dialect; the rest is counted. */
const mostShown = 4;

/**
 * The result of a probe for people: a line a dialect, and the verdict at the end.
 *
 * @example writeReport("https://api.example.com/", result)
 */
export function writeReport(
  url: string,
  { comparisons, controlled, dialects, requests, verdict, reason }: ProbeResult,
): string {
  const width = Math.max(...comparisons.map(({ asked }) => asked.length), ...dialects.map(({ name }) => name.length));
  const lines = [
    `certbound probe of ${url}`,
    "",
    "The token, and no forged header:",
    ...comparisons.map(({ asked, answer }) => `  ${asked.padEnd(width)}  ${answer}`),
  ];
  const silent = comparisons.map(({ answer }) => answer).filter((answer) => answer.startsWith("no answer"));
  if (dialects.length > 0 && silent.some((answer) => answer.includes("ALERT"))) {
    lines.push("  (No request comes in where TLS has refused above: nothing was tried that way.)");
  }
  if (dialects.length > 0 && silent.some((answer) => !answer.includes("ALERT"))) {
    lines.push("  (Where the connection just ended above, it was tried, and ending again counts as refused.)");
  }
  if (!controlled)
    lines.push("  (That the token opens the API with its certificate was taken on trust: --no-control.)");
  if (dialects.length > 0) lines.push("", "The token, and the certificate in a forged header:");
  for (const { name, tried, believed, unclear } of dialects) {
    const word = believed.length > 0 ? "BELIEVED" : unclear.length > 0 ? "unclear" : "not believed";
    lines.push(`  ${name.padEnd(width)}  ${word} (${tried} tried)`);
    const shown = [...believed, ...unclear];
    lines.push(...shown.slice(0, mostShown).map((said) => `      ${said}`));
    if (shown.length > mostShown) lines.push(`      and ${shown.length - mostShown} more`);
  }
  lines.push("", `${verdicts[verdict]}${reason === undefined ? "" : `: ${reason}`}. Requests sent: ${requests}.`, "");
  return lines.join("\n");
}

const verdicts: Readonly<Record<ProbeResult["verdict"], string>> = {
  "not believed": "No forged header was believed",
  believed: "FORGED HEADERS ARE BELIEVED: whoever has a token and the public certificate comes in",
  inconclusive: "Inconclusive",
};
