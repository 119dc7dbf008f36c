/** What goes wrong on the command line itself. Refusals of the hub and failures of the line are the SDK's. */

/** The command was called wrongly. */
export class UsageError extends Error {
  readonly code = "usage";
  /** The operation's field that is wrong, named at the sentence's beginning. */
  readonly field: string | undefined;

  constructor(message: string, field?: string) {
    super(message);
    this.field = field;
  }
}

/** What was waited for did not come in time. */
export class NothingCame extends Error {
  readonly code = "nothing_came";
  /** What there is instead, for machines. */
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(message: string, details?: Readonly<Record<string, unknown>>) {
    super(message);
    this.details = details;
  }
}

/** Something that was done here, not at the hub, did not work. */
export class Failed extends Error {
  readonly code = "failed";
}

/** A command that we were to run does not start. */
export class CannotStart extends Error {
  readonly code = "cannot_start";
}

/** A signal ended the command. */
export class Interrupted extends Error {
  readonly code = "interrupted";
  readonly signal: "SIGINT" | "SIGTERM" | "SIGHUP";

  constructor(signal: Interrupted["signal"]) {
    super(`interrupted by ${signal}`);
    this.signal = signal;
  }
}

/** Our output cannot be written: the disk is full. */
export class OutputFailed extends Error {
  readonly code = "output_failed";

  constructor(cause: Error) {
    super(`cannot write the output: ${cause.message}`, { cause });
  }
}

/** Whoever read our output has closed it, as `head` does. */
export class OutputClosed extends Error {
  readonly code = "output_closed";
}
