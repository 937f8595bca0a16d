import { setTimeout as wait } from "node:timers/promises";
import type { Load, LoadOrder } from "./load.ts";
import type { Server } from "./server.ts";

/** One server under one kind of request. */
export interface Contender {
  readonly name: string;
  readonly server: Server;
  readonly order: LoadOrder;
  /** The contender that is the base of its ratios; itself for the base. */
  readonly base: string;
}

/** How long, in seconds and rounds. */
export interface Timing {
  readonly rounds: number;
  /** Measured per round. */
  readonly seconds: number;
  /** Before the first round: a new server under load needs this long to reach its speed. */
  readonly warmUp: number;
  /** Before each measurement, discarded. */
  readonly preRun: number;
}

/** Medians over the rounds. A ratio is the median of the rounds' own ratios, which removes drift. */
export interface Row {
  readonly name: string;
  readonly perSecond: Spread;
  readonly rateRatio: Spread;
  /** Microseconds of the server's processor time per request. */
  readonly processor: Spread;
  readonly processorRatio: Spread;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** The largest share of the time in which the load was busy. */
  readonly loadBusy: number;
  /** The server's counters over all rounds. */
  readonly counts: Readonly<Record<string, number>>;
}

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

interface Measurement {
  readonly perSecond: number;
  readonly processor: number;
  readonly p50: number;
  readonly p99: number;
  readonly loadBusy: number;
  readonly counts: Readonly<Record<string, number>>;
}

/** Measures the contenders one after another, round after round, every second round backwards. */
export async function compare(load: Load, contenders: readonly Contender[], timing: Timing): Promise<Row[]> {
  for (const contender of contenders) await measure(load, contender, timing.warmUp, 0.1);
  const rounds: ReadonlyMap<string, Measurement>[] = [];
  for (let round = 0; round < timing.rounds; round++) {
    const measurements = new Map<string, Measurement>();
    for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
      measurements.set(contender.name, await measure(load, contender, timing.preRun, timing.seconds));
    }
    rounds.push(measurements);
  }
  return contenders.map((contender) => rowOf(contender, rounds));
}

async function measure(load: Load, { server, order }: Contender, before: number, seconds: number) {
  await load.begin(order);
  await wait(before * 1000);
  await Promise.all([load.read(), server.usage()]);
  await wait(seconds * 1000);
  const [reading, usage] = await Promise.all([load.read(), server.usage()]);
  await load.end();
  if (reading.answers === 0) throw new Error("nothing was answered");
  return {
    perSecond: (reading.answers * 1000) / reading.milliseconds,
    processor: usage.processor / reading.answers,
    p50: reading.p50,
    p99: reading.p99,
    loadBusy: reading.busy,
    counts: usage.counts,
  };
}

function rowOf({ name, base }: Contender, rounds: readonly ReadonlyMap<string, Measurement>[]): Row {
  const of = (contender: string): Measurement[] => rounds.flatMap((round) => round.get(contender) ?? []);
  const own = of(name);
  const bases = of(base);
  const ratio = (value: (measurement: Measurement) => number): number[] =>
    own.flatMap((measurement, round) => {
      const other = bases[round];
      return other === undefined ? [] : value(measurement) / value(other);
    });
  const counts: Record<string, number> = {};
  for (const measurement of own) {
    for (const [what, count] of Object.entries(measurement.counts)) counts[what] = (counts[what] ?? 0) + count;
  }
  return {
    name,
    perSecond: spreadOf(own.map(({ perSecond }) => perSecond)),
    rateRatio: spreadOf(ratio(({ perSecond }) => perSecond)),
    processor: spreadOf(own.map(({ processor }) => processor)),
    processorRatio: spreadOf(ratio(({ processor }) => 1 / processor)),
    p50: spreadOf(own.map(({ p50 }) => p50)).median,
    p99: spreadOf(own.map(({ p99 }) => p99)).median,
    loadBusy: Math.max(...own.map(({ loadBusy }) => loadBusy)),
    counts,
  };
}

/** The middle, the least and the most of some values. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted.at(index) ?? Number.NaN;
  return { median: at(sorted.length >> 1), least: at(0), most: at(-1) };
}
