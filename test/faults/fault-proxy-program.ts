import type { IncomingMessage } from "node:http";
import { type Fault, startFaultProxy } from "../support/fault-proxy.ts";
import { obey } from "../support/forked-program.ts";
import { disturb, type StreamFault } from "./stream-faults.ts";

/** What becomes of questions: those that begin from now on. `refuse`: so many of them, then none. */
export type QuestionFault = "pass" | "swallow" | "hold" | { readonly refuse: number };

/** What the fault proxy between API and backend is told. */
export interface ProxyCommands {
  readonly [name: string]: (given: never) => unknown;
  /** Leads to this origin from now on; answers where the proxy is. */
  readonly lead: (to: string) => string;
  readonly questions: (fault: QuestionFault) => void;
  /** Lets the answers out that were held back. */
  readonly release: () => void;
  /** Streams are disturbed so, those that are open too. `cut`: they are ended, and none is opened. */
  readonly streams: (fault: StreamFault | { readonly kind: "cut" }) => void;
  readonly cutStreams: () => void;
  /** What has arrived and what has gone on, all told. */
  readonly report: () => ProxyReport;
  /** Waits until so many questions have arrived, all told. */
  readonly questionArrival: (count: number) => Promise<void>;
}

export interface ProxyReport {
  readonly questions: number;
  /** Questions under way at a time, at the most. */
  readonly mostOpen: number;
  readonly streams: number;
  /** Blocks that were passed on, by event type. */
  readonly passed: Readonly<Record<string, number>>;
}

const isStream = ({ url = "" }: IncomingMessage): boolean => url.includes("/auth/introspection/events");
const isQuestion = (request: IncomingMessage): boolean => !isStream(request);

const proxy = await startFaultProxy({ to: "http://127.0.0.1:1" });
let questionFault: QuestionFault = "pass";
let streamFault: StreamFault = { kind: "pass" };
let streamsCut = false;
let held = Promise.withResolvers<undefined>();
let questions = 0;
let mostOpen = 0;
let streams = 0;
const passed: Record<string, number> = {};
const watchers = new Set<() => void>();

function faultOfStream(): Fault {
  if (streamsCut) return { kind: "refuse" };
  streams += 1;
  const onBreak = (): void => {
    streamsCut = true;
    proxy.cut(isStream);
  };
  const onPassed = (type: string): void => {
    passed[type] = (passed[type] ?? 0) + 1;
  };
  return { kind: "blocks", each: disturb(() => streamFault, { onBreak, onPassed }) };
}

function faultOfQuestion(): Fault {
  questions += 1;
  mostOpen = Math.max(mostOpen, proxy.open(isQuestion));
  for (const watcher of watchers) watcher();
  if (questionFault === "hold") return { kind: "hold", until: held.promise };
  if (questionFault === "swallow" || questionFault === "pass") return { kind: questionFault };
  const { refuse } = questionFault;
  questionFault = refuse > 1 ? { refuse: refuse - 1 } : "pass";
  return { kind: "refuse" };
}

proxy.fault = (request) => (isStream(request) ? faultOfStream() : faultOfQuestion());

const commands: ProxyCommands = {
  lead(to: string) {
    proxy.to = to;
    return proxy.url;
  },
  questions(fault: QuestionFault) {
    questionFault = fault;
  },
  release() {
    questionFault = "pass";
    held.resolve(undefined);
    held = Promise.withResolvers();
  },
  streams(fault: StreamFault | { readonly kind: "cut" }) {
    streamsCut = fault.kind === "cut";
    if (fault.kind === "cut") proxy.cut(isStream);
    else streamFault = fault;
  },
  cutStreams() {
    proxy.cut(isStream);
  },
  report: () => ({ questions, mostOpen, streams, passed }),
  questionArrival: (count: number) =>
    new Promise<void>((resolve) => {
      const look = (): void => {
        if (questions < count) return;
        watchers.delete(look);
        resolve();
      };
      watchers.add(look);
      look();
    }),
};
obey(commands);
