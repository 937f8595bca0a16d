#!/usr/bin/env node
import pino from "pino";

const needed = 24;
const running = Number(process.versions.node.split(".")[0]);
if (running < needed) {
  // Before anything is loaded that an older Node does not have: node:sqlite is one.
  process.stderr.write(`certbound: Node ${needed} or newer is needed, this is ${process.versions.node}.\n`);
  process.exit(2);
}
const { runCommandLine } = await import("./command-line.ts");

const stdout = pino.destination({ fd: 1, sync: true });

process.exitCode = await runCommandLine(process.argv.slice(2), {
  env: process.env,
  stdout,
  stdoutIsTerminal: process.stdout.isTTY,
  stderr: process.stderr,
  onSignal(listener) {
    process.on("SIGTERM", listener);
    process.on("SIGINT", listener);
  },
  exit: process.exit.bind(process),
});
