import { readFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import type { Row, Spread } from "./compare.ts";
import { pinning } from "./pinned-process.ts";

/** Prints rows as text in columns; the first is aligned left, the others right. */
export function printTable(title: string, head: readonly string[], rows: readonly (readonly string[])[]): void {
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  console.log(`\n${title}`);
  for (const line of lines) {
    const cells = widths.map((width, column) => {
      const cell = line[column] ?? "";
      return column === 0 ? cell.padEnd(width) : cell.padStart(width);
    });
    console.log(`  ${cells.join("  ").trimEnd()}`);
  }
}

/** Prints a comparison of servers; ratios are of requests a second and of processor time, 1.00 being the base. */
export function printComparison(title: string, rows: readonly Row[]): void {
  printTable(
    title,
    ["", "requests/s", "ratio", "µs CPU/request", "ratio", "p50 ms", "p99 ms", "load busy"],
    rows.map((row) => [
      row.name,
      row.perSecond.median.toFixed(0),
      range(row.rateRatio, 2),
      row.processor.median.toFixed(1),
      range(row.processorRatio, 2),
      row.p50.toFixed(1),
      row.p99.toFixed(1),
      `${(row.loadBusy * 100).toFixed(0)} %`,
    ]),
  );
}

/** The median, and its range in brackets. */
export function range({ median, least, most }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})`;
}

/** One line on the machine and its other load: ratios are accurate to 15 %, less on a busy machine. */
export function describeMachine(): string {
  const [cpu, ...others] = cpus();
  const [load = 0] = loadavg();
  const processors = `${others.length + 1} × ${cpu?.model ?? "unknown processor"}`;
  const placed = pinning ? "server and load pinned to one each" : "not pinned: taskset is missing";
  return `Node ${process.versions.node}, ${processors}, ${placed}; load ${load.toFixed(1)}, waiting for a processor ${pressure()}`;
}

/** Linux's measure of how much of the last ten seconds something waited for a processor. */
function pressure(): string {
  try {
    return `${/^some avg10=([0-9.]+)/.exec(readFileSync("/proc/pressure/cpu", "utf8"))?.[1] ?? "?"} % of the time`;
  } catch {
    return "unknown";
  }
}
