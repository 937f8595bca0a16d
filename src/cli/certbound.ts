#!/usr/bin/env node
import pino from "pino";
import { runCommandLine } from "./command-line.ts";

const stdout = pino.destination({ fd: 1, sync: true });

process.exitCode = await runCommandLine(process.argv.slice(2), {
  env: process.env,
  stdout,
  stderr: process.stderr,
  onSignal(listener) {
    process.on("SIGTERM", listener);
    process.on("SIGINT", listener);
  },
  exit: process.exit.bind(process),
});
