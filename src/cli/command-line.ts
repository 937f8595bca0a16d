import { Command, CommanderError } from "commander";
import { version } from "../backend/version.ts";
import type { ProgramHost } from "./program-host.ts";
import { serve, type ServeOptions } from "./serve.ts";

const misused = 2;

const serveExample = `
Example:
  $ API_SECRET=… certbound serve --config backend.yaml --check
  $ API_SECRET=… certbound serve --config backend.yaml

It logs to standard output, one JSON object a line; "listening" has the address. SIGTERM or SIGINT stops it when
the requests under way are answered; a second one stops it at once.

Exit codes: 0 stopped, or valid with --check; 2 not started, and one message on standard error says why.
`;

/**
 * Runs one command line, without the program's own name; resolves to the exit code.
 *
 * @example await runCommandLine(["serve", "--config", "backend.yaml"], host)
 */
export async function runCommandLine(args: readonly string[], host: ProgramHost): Promise<number> {
  let exitCode = 0;
  const program = new Command("certbound")
    .description("OAuth 2.0 access tokens bound to the client's TLS certificate (RFC 8705).")
    .version(version)
    .exitOverride()
    .showHelpAfterError('Try "certbound --help" or "certbound serve --help".')
    .configureOutput({
      writeOut: (text) => {
        host.stdout.write(text);
      },
      writeErr: (text) => {
        host.stderr.write(text);
      },
    })
    .addHelpText(
      "after",
      '\nExample:\n  $ certbound serve --config backend.yaml\n\n"certbound serve --help" says more.\n',
    );
  program
    .command("serve")
    .description("Run the backend: issue tokens, and answer whether a token and a certificate belong together.")
    .requiredOption("--config <file>", "the configuration, a YAML file")
    .option("--check", "only say whether the configuration is valid")
    .option("--new-secret-key", "secretKey has changed: replace what the store has sealed under the former one")
    .addHelpText("after", serveExample)
    .action(async (options: ServeOptions) => {
      exitCode = await serve(options, host);
    });
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : misused;
    throw error;
  }
}
