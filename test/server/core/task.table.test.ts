/** The state machine of a task, cell by cell: every status under every operation. */
import { expect, test } from "vitest";
import { decideDelete, decideDelivered } from "../../../server/core/decide.ts";
import type { Decision } from "../../../server/core/decision.ts";
import type { Caller, MessageState } from "../../../server/core/message.ts";
import { HubError } from "../../../shared/errors.ts";
import {
  ask,
  become,
  claim,
  claimed,
  complete,
  fail,
  failRetryable,
  HUB,
  kinds,
  leaseEnding,
  MINUTE,
  NOBODY,
  NOW,
  name,
  release,
  requeued,
  run,
  task,
  WORKER,
  wake,
} from "./support.ts";

/** What a cell says is the events it causes, `same` when nothing changes, or the code with which it is refused. */
const TABLE = `
                            | ready        | not ready    | requeued     | held         | lease over   | last try over | complete     | failed
claim by the worker         | claimed      | not_ready    | not_ready    | wrong_status | wrong_status | wrong_status  | wrong_status | wrong_status
claim by another            | claimed      | not_ready    | not_ready    | wrong_status | wrong_status | wrong_status  | wrong_status | wrong_status
complete by the holder      | lease_lost   | lease_lost   | completed    | completed    | completed    | completed     | same         | wrong_status
complete with stale attempt | lease_lost   | lease_lost   | lease_lost   | lease_lost   | lease_lost   | lease_lost    | lease_lost   | wrong_status
complete by recipient name  | completed    | completed    | completed    | lease_lost   | lease_lost   | lease_lost    | wrong_status | wrong_status
complete by nobody          | completed    | completed    | completed    | lease_lost   | lease_lost   | lease_lost    | wrong_status | wrong_status
complete by another         | wrong_status | wrong_status | wrong_status | lease_lost   | lease_lost   | lease_lost    | wrong_status | wrong_status
fail by the holder          | lease_lost   | lease_lost   | failed       | failed       | failed       | failed        | wrong_status | same
fail retryable by holder    | lease_lost   | lease_lost   | wrong_status | requeued     | requeued     | failed        | wrong_status | same
fail retryable by name      | wrong_status | wrong_status | wrong_status | lease_lost   | lease_lost   | lease_lost    | wrong_status | wrong_status
fail with stale attempt     | lease_lost   | lease_lost   | lease_lost   | lease_lost   | lease_lost   | lease_lost    | wrong_status | lease_lost
fail by another             | failed       | failed       | failed       | lease_lost   | lease_lost   | lease_lost    | wrong_status | wrong_status
release by the holder       | wrong_status | wrong_status | wrong_status | released     | released     | released      | wrong_status | wrong_status
release with stale attempt  | wrong_status | wrong_status | wrong_status | lease_lost   | lease_lost   | lease_lost    | wrong_status | wrong_status
cancel by the sender        | cancelled    | cancelled    | cancelled    | cancelled    | cancelled    | cancelled     | wrong_status | wrong_status
retry by the sender         | wrong_status | wrong_status | wrong_status | wrong_status | wrong_status | wrong_status  | wrong_status | requeued+ready
extend by the holder        | wrong_status | wrong_status | wrong_status | moved        | moved        | moved         | wrong_status | wrong_status
extend with stale attempt   | wrong_status | wrong_status | wrong_status | lease_lost   | lease_lost   | lease_lost    | wrong_status | wrong_status
progress by the holder      | wrong_status | wrong_status | wrong_status | progress     | progress     | progress      | wrong_status | wrong_status
progress by another         | wrong_status | wrong_status | wrong_status | lease_lost   | lease_lost   | lease_lost    | wrong_status | wrong_status
seen by the recipient       | seen         | seen         | seen         | seen         | seen         | seen          | seen         | seen
seen by the sender          | not_recipient | not_recipient | not_recipient | not_recipient | not_recipient | not_recipient | not_recipient | not_recipient
wake                        | same         | same         | same         | same         | requeued     | failed        | same         | same
delete                      | deleted      | deleted      | deleted      | deleted      | deleted      | deleted       | deleted      | deleted
delivered                   | delivered    | delivered    | same         | same         | same         | same          | same         | same
`;

const STATES: Record<string, MessageState> = {
  ready: task(),
  "not ready": task({ not_before: NOW + MINUTE }),
  requeued: requeued(),
  held: claimed(),
  "lease over": leaseEnding(claimed(), NOW),
  "last try over": leaseEnding(claimed({ max_attempts: 1 }), NOW),
  complete: become(claimed(), complete(1)),
  failed: become(claimed(), fail(1)),
};

const by = (caller: Caller, command: Parameters<typeof ask>[1]) => (state: MessageState) =>
  ask(state, command, { by: caller });

/** The holder is the worker's run; its attempt is 1. */
const OPERATIONS: Record<string, (state: MessageState) => Decision> = {
  "claim by the worker": by(WORKER, claim()),
  "claim by another": by(run("other", "r9"), claim()),
  "complete by the holder": by(WORKER, complete(1)),
  "complete with stale attempt": by(WORKER, complete(0)),
  "complete by recipient name": by(name("worker"), complete()),
  "complete by nobody": by(NOBODY, complete()),
  "complete by another": by(name("other"), complete()),
  "fail by the holder": by(WORKER, fail(1)),
  "fail retryable by holder": by(WORKER, failRetryable(1)),
  "fail retryable by name": by(name("worker"), failRetryable()),
  "fail with stale attempt": by(WORKER, fail(0)),
  "fail by another": by(name("other"), fail()),
  "release by the holder": by(WORKER, release(1)),
  "release with stale attempt": by(WORKER, release(0)),
  "cancel by the sender": by(name("boss"), { op: "cancel" }),
  "retry by the sender": by(name("boss"), { op: "retry" }),
  "extend by the holder": by(WORKER, { op: "extend", attempt: 1, lease_ms: MINUTE }),
  "extend with stale attempt": by(WORKER, { op: "extend", attempt: 0 }),
  "progress by the holder": by(WORKER, { op: "progress", attempt: 1, percent: 40 }),
  "progress by another": by(run("other", "r9"), { op: "progress", attempt: 1, percent: 40 }),
  "seen by the recipient": by(name("worker"), { op: "seen" }),
  "seen by the sender": by(name("boss"), { op: "seen" }),
  wake: by(HUB, wake),
  delete: () => decideDelete("boss"),
  delivered: (state) => decideDelivered(state, "worker", NOW),
};

/** The status to which each event leads. */
const LEADS_TO: Record<string, string | undefined> = {
  claimed: "in_progress",
  completed: "complete",
  failed: "failed",
  released: "pending",
  requeued: "pending",
  "requeued+ready": "pending",
  cancelled: "failed",
  progress: "in_progress",
  delivered: "pending",
  deleted: undefined,
};

const [head, ...rows] = TABLE.trim()
  .split("\n")
  .map((line) => line.split("|").map((cell) => cell.trim())) as [string[], ...string[][]];

test("the table is complete", () => {
  expect(head.slice(-Object.keys(STATES).length)).toEqual(Object.keys(STATES));
  expect(rows.map(([operation]) => operation)).toEqual(Object.keys(OPERATIONS));
});

test.each(rows)("%s", (operation, ...cells) => {
  const expected = Object.fromEntries(Object.keys(STATES).map((state, i) => [state, cells[i]]));
  const outcomes = Object.entries(STATES).map(([name, state]) => [
    name,
    outcome(state, OPERATIONS[operation] as never),
  ]);
  expect(Object.fromEntries(outcomes)).toEqual(expected);
});

function outcome(state: MessageState, decision: (state: MessageState) => Decision): string {
  const before = Object.freeze(structuredClone(state));
  try {
    const { next, events } = decision(before);
    const told = kinds({ next, events }).join("+");
    if (told === "seen") expect(next?.status).toBe(before.status);
    else if (told !== "") expect(next?.status).toBe(LEADS_TO[told]);
    else if (next?.extended_until === before.extended_until) expect(next).toEqual(before);
    else return "moved";
    return told || "same";
  } catch (error) {
    if (error instanceof HubError) return error.code;
    throw error;
  }
}
