import { Command, CommanderError, InvalidArgumentError } from "commander";
import type { Removable } from "../backend/open-engine.ts";
import { version } from "../backend/version.ts";
import { clockReset, type ClockResetArguments } from "./clock-reset.ts";
import { probe, type ProbeOptions } from "./probe.ts";
import type { ProgramHost } from "./program-host.ts";
import { serve, type ServeOptions } from "./serve.ts";

const misused = 2;

const serveExample = `
Example:
  $ API_SECRET=… certbound serve --config backend.yaml --check
  $ API_SECRET=… certbound serve --config backend.yaml

It logs to standard output: text on a terminal, JSON lines in a pipe. "listening" has the address and the process id.
SIGTERM or SIGINT stops it when the requests under way are answered; a second one stops it at once. SIGHUP reads the
configuration and the files that it names again, and applies all of it or nothing; the log says which.

A configuration that leaves out a client or service with live tokens would end them for good. It is refused unless
--allow-removal names the client or service: 1004 is a service, 1004/17 a client of it.

--check looks at the configuration, the store and what would change in it, the address, key sets at URLs, and the
validity of certificates. It changes nothing. An error means that a start would fail; a warning names a probable
mistake, or something that may have changed by the time of the start.

Exit codes: 0 stopped, or with --check no error (there may be warnings); 2 not started, or with --check an error, and
one message on standard error says why.
`;

const clockResetExample = `
Tokens that were issued before the machine's time and have not expired by it are valid, also those that had expired by
the wrong clock, unless they were deleted ten minutes after. Tokens that were issued later are deleted. Since a clock that
is behind would end every token, the command refuses to delete any without --end-tokens, and says how many there are.

Example:
  $ API_SECRET=… certbound clock reset --config backend.yaml --end-tokens

Exit codes: 0 done; 2 nothing was changed, and one message on standard error says why.
`;

const probeExample = `
A thief has a token and the client's certificate, which is public, but not its key. He claims the certificate in a
header, as a front end would. This command does the same: each header, encoding and spelling in a request of its own,
one after another, without a client certificate and with one that the token is not bound to; over HTTP/1.1, several
hundred requests. Only the URL's own host is contacted, and redirects are not followed.

The token must be one that opens the URL with that certificate. It is read from CERTBOUND_PROBE_TOKEN, or a file.

Believed is what turns the refusal (400, 401, 403) into 2xx, 3xx, or 403 for a scope. Whatever else changes is unclear.

Example:
  $ CERTBOUND_PROBE_TOKEN=… certbound probe https://api.example.com/accounts --certificate client.pem --key client.key

Exit codes: 0 no forged header was believed; 1 one was; 2 it could not be found out, and the report or one message
on standard error says why.
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
    .showHelpAfterError('Try "certbound --help", "certbound serve --help" or "certbound probe --help".')
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
    .requiredOption("--config <file>", "the configuration, a YAML file; required")
    .option("--check", "only report whether a start would succeed, and what it would change in the store")
    .option("--new-secret-key", "secretKey has changed: replace what the store has sealed under the former one")
    .option(
      "--allow-removal <id>",
      "a service (1004) or client (1004/17) that may be removed with its live tokens; may be repeated",
      collectRemovable,
      [],
    )
    .addHelpText("after", serveExample)
    .action(async (options: ServeOptions) => {
      exitCode = await serve(options, host);
    });
  program
    .command("clock")
    .description("Manage the time that a store keeps.")
    .command("reset")
    .description(
      "Set the store's time to the machine's, after a clock that was far ahead was set right. Stop the backend first.",
    )
    .requiredOption("--config <file>", "the configuration, a YAML file; required")
    .option("--end-tokens", "the machine's time is right: delete the tokens that were issued later than that")
    .addHelpText("after", clockResetExample)
    .action(async (options: ClockResetArguments) => {
      exitCode = await clockReset(options, host);
    });
  program
    .command("probe")
    .description("Send forged certificate headers to a running API, and report whether any is believed.")
    .argument("<url>", "a URL that the token opens; http only on the loopback, for an API behind a front end")
    .requiredOption("--certificate <file>", "the certificate that the token is bound to (PEM); required")
    .option("--key <file>", "its private key: shows that the token does open the API with it (PEM)")
    .option("--no-control", "without --key: that the token opens the API is taken on trust")
    .option("--token-file <file>", "the access token; default: the variable CERTBOUND_PROBE_TOKEN")
    .option("--stranger <file>", "another certificate with its key (PEM); default: one made with openssl")
    .option("--header <name>", "a header to forge besides, in every encoding; may be repeated", collect, [])
    .option("--path <path>", "the path to ask for, instead of the URL's own")
    .option("--ca <file>", "whom to trust as the API (PEM); default: the authorities that Node knows")
    .option("--timeout <milliseconds>", "for one request", "5000")
    .option("--json", "the report as one JSON object")
    .addHelpText("after", probeExample)
    .action(async (url: string, options: ProbeOptions) => {
      exitCode = await probe(url, options, host);
    });
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : misused;
    throw error;
  }
}

function collectRemovable(value: string, before: readonly Removable[]): readonly Removable[] {
  const [, serviceId, clientId] = /^([1-9][0-9]{0,14})(?:\/([1-9][0-9]{0,14}))?$/.exec(value) ?? [];
  if (serviceId === undefined) {
    throw new InvalidArgumentError("It must be the id of a service (1004), or of a service and a client (1004/17).");
  }
  return [...before, { serviceId: Number(serviceId), ...(clientId !== undefined && { clientId: Number(clientId) }) }];
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
