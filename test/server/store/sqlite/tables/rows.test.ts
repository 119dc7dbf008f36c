/** Rows are written as lists of values beside lists of columns: a slip in one of them would misfile what it holds. */
import { expect, test } from "vitest";
import type { MessageState } from "../../../../../server/core/message.ts";
import {
  CHANGING,
  COLUMNS,
  fromRow,
  type RawRow,
  SAID,
  toChanges,
  toSaid,
} from "../../../../../server/store/sqlite/tables/rows.ts";

/** No two fields are alike. */
const STATE: MessageState = {
  ...{ id: "id", from_claude: "from", to_claude: "to", task: "task", context: "context", type: "task" },
  ...{ status: "failed", result: "result", error: "error", created_at: 1, updated_at: 2, priority: "high" },
  ...{ thread_id: "thread", reply_to: "reply", parent_id: "parent", after: ["after"], blocked: 3, not_before: 4 },
  ...{ expires_at: 5, timeout_ms: 6, max_attempts: 7, backoff_ms: 8, traceparent: "trace", chain_id: "chain" },
  ...{ hops: 9, attempt: 10, tries_left: 11, claimed_by: "holder", claimed_run: "run", claim_key: "key" },
  ...{ claimed_at: 12, lease_until: 13, timeout_at: 14, delivered_at: 15, completed_at: 16, failure: "error" },
  ...{ seq: 17, claim_rank: 18, wake_at: 19, progress: { percent: 20, note: "note", at: 21 }, seen_at: 22 },
  extended_until: 23,
};

type Column = (typeof COLUMNS)[number];

const byColumn = (columns: readonly Column[], values: RawRow) =>
  Object.fromEntries(columns.map((column, i) => [column, values[i] ?? null])) as Record<Column, RawRow[number]>;

const said = byColumn(SAID, toSaid(STATE));
const changed = byColumn(CHANGING, toChanges(STATE));

test("what is written of a message under the names of its columns is read back as it was", () => {
  expect(fromRow(COLUMNS.map((column) => ({ ...changed, ...said })[column]))).toEqual(STATE);
  expect(fromRow(COLUMNS.map((column) => ({ ...said, ...changed })[column]))).toEqual(STATE);
});

test("every column is written by one of them, and every value has a column", () => {
  expect(new Set([...SAID, ...CHANGING])).toEqual(new Set(COLUMNS));
  expect([toSaid(STATE).length, toChanges(STATE).length]).toEqual([SAID.length, CHANGING.length]);
});
