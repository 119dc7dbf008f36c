/** The life of a task as a table: what the core makes of every status under every operation. */
import { isDeepStrictEqual } from "node:util";
import { decideDelete } from "../../server/core/decide.ts";
import type { Decision } from "../../server/core/decision.ts";
import type { MessageState } from "../../server/core/message.ts";
import { HubError } from "../../shared/errors.ts";
import { STATUSES } from "../../shared/vocabulary.ts";
import * as core from "../server/core/support.ts";
import { table } from "./markdown.ts";

const { ask, become, claim, complete, fail, failRetryable, leaseEnding, release, task, wake, NOW } = core;

const CLAIM = claim("key");
const CANCEL = { op: "cancel" } as const;
const HELD = become(task(), CLAIM);
const ON_LAST_TRY = become(task({ max_attempts: 1 }), CLAIM);

const STATES: Record<MessageState["status"], MessageState> = {
  pending: task(),
  in_progress: HELD,
  complete: become(HELD, complete(1)),
  failed: become(HELD, fail(1)),
};

type Operation = (state: MessageState, attempt: number | undefined) => Decision;

/** An operation in words, what it does, and the states that it needs in place of the ordinary ones. */
type Row = readonly [words: string, operation: Operation, states?: Partial<typeof STATES>];

const ROWS: readonly Row[] = [
  ["`claim`", (state) => ask(state, CLAIM)],
  ["`complete`", (state, attempt) => ask(state, complete(attempt))],
  ["`fail`", (state, attempt) => ask(state, fail(attempt))],
  ["`fail` with `retryable`", (state, attempt) => ask(state, failRetryable(attempt))],
  ["… on its last try", (state, attempt) => ask(state, failRetryable(attempt)), { in_progress: ON_LAST_TRY }],
  ["`release`", (state, attempt) => ask(state, release(attempt))],
  ["`extend`", (state, attempt) => ask(state, { op: "extend", attempt })],
  ["`progress`", (state, attempt) => ask(state, { op: "progress", attempt })],
  ["`cancel`", (state) => ask(state, CANCEL), { failed: become(HELD, CANCEL) }],
  ["`retry`", (state) => ask(state, { op: "retry" })],
  ["`delete`", () => decideDelete("boss")],
  ["its lease or `timeout_ms` runs out", (state) => ask(state, wake), { in_progress: leaseEnding(HELD, NOW) }],
  ["… on its last try", (state) => ask(state, wake), { in_progress: leaseEnding(ON_LAST_TRY, NOW) }],
  ["its `expires_at` passes", (state) => ask(state, wake), { pending: task({ expires_at: NOW }) }],
];

export const taskLife = (): string =>
  table(
    ["operation \\ status", ...STATUSES],
    ROWS.map(([words, operation, states]) => [
      words,
      ...STATUSES.map((status) => outcome({ ...STATES, ...states }[status], operation)),
    ]),
  );

function outcome(state: MessageState, operation: Operation): string {
  try {
    return told(state, operation(state, state.attempt || undefined).next);
  } catch (error) {
    if (error instanceof HubError && error.code === "wrong_status") return "–";
    throw error;
  }
}

function told(before: MessageState, after: MessageState | null): string {
  if (after === null) return "gone";
  if (isDeepStrictEqual(after, before)) return "unchanged";
  const isNamed = after.status === "failed" && after.failure !== "error";
  return `${after.status}${isNamed ? `: ${after.failure}` : ""}${after.attempt > before.attempt ? ", attempt + 1" : ""}`;
}
