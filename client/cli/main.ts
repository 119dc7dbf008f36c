#!/usr/bin/env node
/** The process around `coord`: environment, arguments, streams and signals are read here and handed down. */
import { Interrupted, OutputClosed, OutputFailed } from "./process/errors.ts";
import { exitCodeOf } from "./process/exitCodes.ts";
import { main } from "./program.ts";

const interruption = new AbortController();
let insisted: (() => void) | undefined;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => interrupt(signal));

/** The first signal asks for an end. The next ends the process at once, unless the command has something better. */
function interrupt(signal: Interrupted["signal"]): void {
  const interrupted = new Interrupted(signal);
  const handler = insisted;
  insisted = undefined;
  if (!interruption.signal.aborted) interruption.abort(interrupted);
  else if (handler) handler();
  else process.exit(exitCodeOf(interrupted));
}

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  const isClosed = error.code === "EPIPE";
  interruption.abort(isClosed ? new OutputClosed("nobody reads the output any more") : new OutputFailed(error));
});
process.stderr.on("error", () => {}); // where could it be told?

process.exitCode = await main({
  argv: process.argv.slice(2),
  env: process.env,
  stdin: () => process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  interrupted: interruption.signal,
  onInsisted: (handler) => {
    insisted = handler;
  },
  now: Date.now,
});
