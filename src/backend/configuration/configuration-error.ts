/** One thing that is wrong, and where: `services[0].clients[1].jwks`; the path is empty for the whole file. */
export interface Problem {
  readonly path: string;
  readonly sentence: string;
}

const mostListed = 20;

/**
 * The configuration cannot be used; the message is one readable text for the operator that names every problem.
 *
 * It names members and their requirements, and never quotes a value.
 *
 * @example new ConfigurationError("backend.yaml", [{ path: "listen.port", sentence: "is missing" }])
 */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
  readonly problems: readonly Problem[];

  constructor(source: string, problems: readonly Problem[], options?: ErrorOptions) {
    super(messageOf(source, problems), options);
    this.problems = problems;
  }
}

function messageOf(source: string, problems: readonly Problem[]): string {
  const [only] = problems;
  if (problems.length === 1 && only !== undefined) return `${source}: ${lineOf(only)}`;
  const lines = problems.slice(0, mostListed).map((problem) => `\n  ${lineOf(problem)}`);
  const rest = problems.length - lines.length;
  return `${source}: ${problems.length} problems${lines.join("")}${rest > 0 ? `\n  and ${rest} more` : ""}`;
}

function lineOf({ path, sentence }: Problem): string {
  return path === "" ? sentence : `${path} ${sentence}`;
}
