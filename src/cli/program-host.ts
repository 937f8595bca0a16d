/** What a program needs of the process it runs in, so that nothing else reads it. */
export interface ProgramHost {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the log goes, and what was asked for. */
  readonly stdout: Output;
  /** Whether standard output is a terminal: the log is then text. */
  readonly stdoutIsTerminal?: boolean;
  /** Where one message goes that says why the program ends. */
  readonly stderr: Output;
  readonly pid: number;
  onSignal(listener: (signal: StopSignal) => void): void;
  /** SIGHUP: a request to reload, or the loss of the terminal. */
  onHangUp(listener: () => void): void;
  /** Whether the process belongs to a terminal, now. */
  hasTerminal(): boolean;
  /** Ends the process at once. */
  exit(code: number): void;
}

interface Output {
  write(text: string): void;
}

export type StopSignal = "SIGTERM" | "SIGINT" | "SIGHUP";
