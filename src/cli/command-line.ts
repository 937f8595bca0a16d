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
SIGTERM or SIGINT stops it after the running requests; a second signal stops it immediately. SIGHUP reads the
configuration and its files again, and applies all changes or none; the log says which.

Removing a client or service from the configuration deletes its live tokens. The backend refuses such a configuration
unless --allow-removal names the client or service: 1004 is a service, 1004/17 a client of it.

--check checks the configuration, the store and its changes, the address, key sets at URLs, and the validity of
certificates. It changes nothing. An error means that a start would fail. A warning is a probable mistake, or a problem
that may be gone by the time of the start.

Exit codes: 0 stopped, or with --check no error (there may be warnings); 2 not started, or with --check an error, and
one message on standard error says why.
`;

const clockResetExample = `
Tokens are valid if they were issued before the machine's time and have not expired by it. This includes tokens that had
expired by the wrong clock, unless they have been deleted, which happens ten minutes after expiry. Tokens that were issued
later are deleted. With a clock that is behind, that would be all tokens, so the command deletes none without
--end-tokens, and reports their number.

Example:
  $ API_SECRET=… certbound clock reset --config backend.yaml --end-tokens

Exit codes: 0 done; 2 nothing was changed, and one message on standard error says why.
`;

const probeExample = `
A thief has a token and the client's certificate, which is public, but not its key. He forges the header in which a
front end sends the certificate. This command does the same: it tries each header, encoding and spelling in a separate
request, one after another, without a client certificate and with one that the token is not bound to. It sends several
hundred requests over HTTP/1.1, only to the host of the URL, and follows no redirects.

The token must give access to the URL with that certificate. It is read from CERTBOUND_PROBE_TOKEN or a file.

A header is believed if it turns the refusal (400, 401, 403) into 2xx, 3xx, or 403 for a scope. Any other change is
unclear.

Example:
  $ CERTBOUND_PROBE_TOKEN=… certbound probe https://api.example.com/accounts --certificate client.pem --key client.key

Exit codes: 0 no forged header was believed; 1 at least one was; 2 inconclusive, and the report or one message on
standard error says why.
`;

/**
 * Runs one command line, without the name of the program. Resolves to the exit code.
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
    .option("--check", "only report whether a start would succeed and what it would change in the store")
    .option(
      "--new-secret-key",
      "secretKey has changed: replace everything in the store that is encrypted with the old key",
    )
    .option(
      "--allow-removal <id>",
      "a service (1004) or client (1004/17) that may be removed with its live tokens; repeatable",
      collectRemovable,
      [],
    )
    .addHelpText("after", serveExample)
    .action(async (options: ServeOptions) => {
      exitCode = await serve(options, host);
    });
  program
    .command("clock")
    .description("Manage the time of a store.")
    .command("reset")
    .description(
      "Set the store's time to the machine's, after correcting a clock that was far ahead. Stop the backend first.",
    )
    .requiredOption("--config <file>", "the configuration, a YAML file; required")
    .option("--end-tokens", "confirm that the machine's time is right: delete the tokens that were issued later")
    .addHelpText("after", clockResetExample)
    .action(async (options: ClockResetArguments) => {
      exitCode = await clockReset(options, host);
    });
  program
    .command("probe")
    .description("Send forged certificate headers to a running API, and report whether any is believed.")
    .argument("<url>", "a URL that the token gives access to; http only on the loopback, for an API behind a front end")
    .requiredOption("--certificate <file>", "the certificate that the token is bound to (PEM); required")
    .option("--key <file>", "its private key (PEM), to verify that the token gives access to the API")
    .option("--no-control", "without --key: do not verify that the token gives access to the API")
    .option("--token-file <file>", "the access token; default: the variable CERTBOUND_PROBE_TOKEN")
    .option("--stranger <file>", "another certificate with its key (PEM); default: created with openssl")
    .option("--header <name>", "an additional header to forge, in every encoding; repeatable", collect, [])
    .option("--path <path>", "the path to request instead of the URL's")
    .option("--ca <file>", "the trust anchors for the API (PEM); default: those of Node")
    .option("--timeout <milliseconds>", "the timeout of one request", "5000")
    .option("--json", "write the report as one JSON object")
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
