#!/usr/bin/env node
/** The process around `coord`: environment, arguments, streams and signals are read here and handed down. */
import { Interrupted, OutputClosed } from "./errors.ts";
import { main } from "./program.ts";

const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => interruption.abort(new Interrupted(signal))); // a second one ends the process at once
}
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  interruption.abort(new OutputClosed("nobody reads the output any more"));
});

process.exitCode = await main({
  argv: process.argv.slice(2),
  env: process.env,
  stdin: () => process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  interrupted: interruption.signal,
  now: Date.now,
});
