import type { Readable, Writable } from "node:stream";

/** A stream that may be a terminal. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** The process around a command, as `main.ts` hands it in. */
export interface Outside {
  /** Without the names of the program. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: () => Readable;
  readonly stdout: Output;
  readonly stderr: Output;
  /**
   * Aborted with an Interrupted when a signal comes, with an OutputClosed when nobody reads any more, or with an
   * OutputFailed when nothing can be written.
   */
  readonly interrupted: AbortSignal;
  /** Calls `handler` at the next signal after that, which otherwise ends the process at once. */
  readonly onInsisted: (handler: () => void) => void;
  /** Milliseconds since 1970; only to say how long ago something was. */
  readonly now: () => number;
}
