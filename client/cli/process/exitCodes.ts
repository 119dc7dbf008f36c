/** How a command ends, for scripts to trust: one row a code, and the errors that lead to it. */
import { constants } from "node:os";
import { CallTimeout, ConnectionLost, HubUnreachable, TaskFailed } from "../../sdk/errors.ts";
import { CannotStart, Interrupted, NothingCame, OutputClosed, UsageError } from "./errors.ts";

interface ExitRow {
  readonly code: number;
  readonly meaning: string;
  readonly errors: readonly (abstract new (...args: never[]) => Error)[];
}

export const EXIT_CODES = {
  ok: { code: 0, meaning: "done", errors: [OutputClosed] },
  refused: {
    code: 1,
    meaning: "refused by the hub, or gone wrong: the sentence on stderr says what to do",
    errors: [],
  },
  usage: { code: 2, meaning: "the command was called wrongly", errors: [UsageError] },
  unreachable: { code: 3, meaning: "no hub answers", errors: [HubUnreachable, ConnectionLost, CallTimeout] },
  nothing: { code: 4, meaning: "nothing came in time", errors: [NothingCame] },
  failed: { code: 5, meaning: "the task that was waited for failed", errors: [TaskFailed] },
  cannot_start: { code: 69, meaning: "the command that was to do the tasks cannot be started", errors: [CannotStart] },
  interrupted: {
    code: 130,
    meaning: "interrupted by Ctrl-C; 143 by SIGTERM, 129 by SIGHUP; coord hub ends with 0 on each of them",
    errors: [],
  },
} as const satisfies Record<string, ExitRow>;

/** The exit code of a command that threw this. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Interrupted) return 128 + constants.signals[error.signal];
  const rows: ExitRow[] = Object.values(EXIT_CODES);
  const row = rows.find(({ errors }) => errors.some((kind) => error instanceof kind));
  return (row ?? EXIT_CODES.refused).code;
}
