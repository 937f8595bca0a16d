/** The parts of the process that a command uses, so that nothing else accesses the process. */
export interface ProgramHost {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** For the log and for results. */
  readonly stdout: Output;
  /** Whether standard output is a terminal; then the log is text. */
  readonly stdoutIsTerminal?: boolean;
  /** For the message that says why the program ends. */
  readonly stderr: Output;
  readonly pid: number;
  onSignal(listener: (signal: StopSignal) => void): void;
  /** SIGHUP: a request to reload, or the loss of the terminal. */
  onHangUp(listener: () => void): void;
  /** Whether the process has a terminal at the moment. */
  hasTerminal(): boolean;
  /** Ends the process immediately. */
  exit(code: number): void;
}

interface Output {
  write(text: string): void;
}

export type StopSignal = "SIGTERM" | "SIGINT" | "SIGHUP";
