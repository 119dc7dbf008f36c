/**
 * Attempts: what became of each try of a task.
 *
 * A try that ended without completing the task is recorded. The record identifies a holder that reports an outcome
 * after its attempt was over: the one that it reported then is answered again, any other is refused, but kept as a
 * `late` event, once per attempt.
 */
import type { Command, CommandOf } from "./commands.ts";
import type { Decision, EventDraft } from "./decision.ts";
import { actingName } from "./holder.ts";
import { type Attempt, type Caller, isOver, type MessageState } from "./message.ts";

const OUTCOMES: ReadonlySet<string> = new Set<Attempt["outcome"]>(["released", "requeued", "failed", "cancelled"]);

/** The record of the try that a change ended; undefined when it ended none, or completed the task. */
export function endedAttempt(
  before: MessageState | undefined,
  after: MessageState,
  told: readonly EventDraft[],
  now: number,
): Attempt | undefined {
  if (before?.status !== "in_progress" || before.type === "chat") return undefined;
  const ending = told.find(({ kind }) => OUTCOMES.has(kind));
  if (!ending) return undefined;
  return {
    attempt: before.attempt,
    claimed_by: before.claimed_by as string,
    claimed_run: before.claimed_run,
    claimed_at: before.claimed_at as number,
    ended_at: now,
    outcome: ending.kind as Attempt["outcome"],
    error: ending.error ?? after.error,
    late: false,
  };
}

/** What a holder says of how its try ended. */
export type Ending = CommandOf<"complete"> | CommandOf<"fail"> | CommandOf<"release">;

export const isEnding = (command: Command): command is Ending =>
  command.op === "complete" || command.op === "fail" || command.op === "release";

/**
 * The caller's try, over by now, that a refused outcome is about; undefined when it has none.
 *
 * @param attempt the fence that was sent; detached holders may omit it and mean their last try.
 */
export function endedTry(
  tries: readonly Attempt[],
  state: MessageState,
  attempt: number | undefined,
  caller: Caller,
): Attempt | undefined {
  const own = tries.filter(
    ({ claimed_by, claimed_run }) =>
      claimed_by === actingName(state, caller) && (claimed_run === null || claimed_run === caller.run),
  );
  return attempt === undefined ? own.at(-1) : own.find((one) => one.attempt === attempt);
}

/**
 * Whether the try ended with this very outcome, so that it is said again: the answer was lost. Without its attempt that is
 * sure only until anything else happens to the task; later it may be another's first word, in the same name.
 */
export function isSaidAgain(state: MessageState, command: Ending, { attempt, outcome, error }: Attempt): boolean {
  const isNewest = attempt === state.attempt;
  if (command.attempt === undefined && !(isNewest && state.status === "pending")) return false;
  if (outcome === "failed" && isNewest && isOver(state)) return false; // what ended the task is judged by all of its words
  if (command.op === "complete") return false; // the task would be complete
  if (command.op === "release") return outcome === "released" && error === (command.reason ?? null);
  const isSameEnd = outcome === "failed" || (outcome === "requeued" && command.retryable === true);
  return isSameEnd && error === (command.error ?? null) && command.result === undefined;
}

/** Keeps a refused outcome; the message stays as it is. */
export function decideLate(
  state: MessageState,
  command: CommandOf<"complete"> | CommandOf<"fail">,
  { attempt, claimed_by }: Attempt,
): Decision {
  const late = { attempt, result: command.result ?? null, error: command.error ?? null };
  return { next: { ...state }, events: [{ kind: "late", actor: claimed_by, late }] };
}
