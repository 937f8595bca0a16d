#!/usr/bin/env node
import { closeSync, openSync } from "node:fs";
import pino from "pino";

const needed = 24;
/** Octets of the log that are buffered while the disk is full; further lines are dropped. */
const mostUnwritten = 1_048_576;
const running = Number(process.versions.node.split(".")[0]);
if (running < needed) {
  // Checked before loading modules that older versions do not have, such as node:sqlite.
  process.stderr.write(`certbound: Node ${needed} or newer is required; this is ${process.versions.node}.\n`);
  process.exit(2);
}
const { runCommandLine } = await import("./command-line.ts");

const stdout = pino.destination({ fd: 1, sync: true, maxLength: mostUnwritten });
// An error of the log (a full disk, a lost terminal) must not stop the backend.
stdout.on("error", () => undefined);

process.exitCode = await runCommandLine(process.argv.slice(2), {
  env: process.env,
  stdout,
  stdoutIsTerminal: process.stdout.isTTY,
  stderr: process.stderr,
  onSignal(listener) {
    process.on("SIGTERM", listener);
    process.on("SIGINT", listener);
  },
  onHangUp(listener) {
    process.on("SIGHUP", listener);
  },
  hasTerminal() {
    try {
      closeSync(openSync("/dev/tty", "r"));
      return true;
    } catch {
      return false;
    }
  },
  pid: process.pid,
  exit: process.exit.bind(process),
});
