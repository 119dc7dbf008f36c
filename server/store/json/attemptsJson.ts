/** The tries of a task as JSON: those on record, and the current or completing one, which only the message records. */
import type { Attempt, MessageState } from "../../core/message.ts";
import { iso } from "../../iso.ts";

export function attemptsJson(state: MessageState, recorded: readonly Attempt[]): string {
  const last = lastTry(state);
  const earlier = recorded.filter(({ attempt }) => attempt !== last?.attempt).map(recordedTry);
  return JSON.stringify(last ? [...earlier, last] : earlier);
}

const recordedTry = ({ attempt, claimed_by, claimed_at, ended_at, outcome, error, late }: Attempt) => ({
  attempt,
  claimed_by,
  claimed_at: iso(claimed_at),
  ended_at: iso(ended_at),
  outcome,
  ...(error !== null && { error }),
  ...(late && { late }),
});

/** The try that is under way, or that completed the task: it has no record. */
function lastTry(state: MessageState) {
  if (state.type === "chat" || state.claimed_by === null || state.claimed_at === null) return undefined;
  if (state.status !== "in_progress" && state.status !== "complete") return undefined;
  return {
    attempt: state.attempt,
    claimed_by: state.claimed_by,
    claimed_at: iso(state.claimed_at),
    ...(state.completed_at !== null && { ended_at: iso(state.completed_at) }),
    outcome: state.status,
  };
}
