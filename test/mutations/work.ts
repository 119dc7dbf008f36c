/** Bugs to plant in what holders and senders do beside claiming and ending, and in tasks that wait for others. */
import type { Mutation } from "./mutations.ts";

const TASK = "server/core/task.ts";
const ATTEMPTS = "server/core/attempts.ts";
const DEADLINES = "server/core/deadlines.ts";
const DECIDE = "server/core/decide.ts";
const ENGINE = "server/store/engine/engine.ts";
const JOURNAL = "server/store/engine/journal.ts";
const LEDGER = "server/store/sqlite/tables/sqliteLedger.ts";
const DEPENDENCIES = "server/store/engine/dependencies.ts";
const DEPENDENCY = "server/core/dependency.ts";
const TRACE = "server/core/trace.ts";
const RECEIPT = "server/core/receipt.ts";
const RECEIPTS = "server/store/engine/receipts.ts";
const SQLITE_RECEIPTS = "server/store/sqlite/tables/sqliteReceipts.ts";

export const WORK_MUTATIONS: readonly Mutation[] = [
  {
    breaks: "a stranger acknowledges a chat in its recipient's place",
    file: "server/core/chat.ts",
    search: "if (isRecipient(state, claude_id)) return;",
    replace: "return;",
  },
  {
    breaks: "a result is gone from a full file before anybody could read it",
    file: "server/store/engine/retention.ts",
    search: "firstFinished(tables, now - LIVE_MS)",
    replace: "firstFinished(tables, now + 1)",
  },
  {
    breaks: "a task that was brought back says that it rests",
    file: TASK,
    search: "not_before: isTried && state.not_before !== null ? Math.min(state.not_before, c.now) : state.not_before,",
    replace: "not_before: state.not_before,",
  },
  {
    breaks: "a late result is kept as often as it is sent",
    file: ENGINE,
    search: 'if (command.op === "release" || ended.late) return undefined;',
    replace: 'if (command.op === "release") return undefined;',
  },
  {
    breaks: "a stranger's refused result is kept as the holder's",
    file: ATTEMPTS,
    search: "claimed_by === actingName(state, caller) && (claimed_run",
    replace: "(claimed_run",
  },
  {
    breaks: "a late result is thrown away",
    file: ENGINE,
    search: "    this.#journal.apply(state, decideLate(state, command, ended));\n",
    replace: "",
  },
  {
    breaks: "an outcome that is said again is late",
    file: ENGINE,
    search: "    if (isSaidAgain(state, command, ended)) return this.#done(state);\n",
    replace: "",
  },
  {
    breaks: "a failure for good is taken for one that was to be tried again",
    file: ATTEMPTS,
    search: '(outcome === "requeued" && command.retryable === true)',
    replace: 'outcome === "requeued"',
  },
  {
    breaks: "a try that ended leaves no record",
    file: ATTEMPTS,
    search: 'new Set<Attempt["outcome"]>(["released", "requeued", "failed", "cancelled"])',
    replace: 'new Set<Attempt["outcome"]>(["released", "failed", "cancelled"])',
  },
  {
    breaks: "a cancelled task keeps the name of an earlier holder",
    file: TASK,
    search: 'const from = state.status === "pending" ? unheld(state) : state;',
    replace: "const from = state;",
  },
  {
    breaks: "a retried task has no tries",
    file: TASK,
    search: "tries_left: state.max_attempts,",
    replace: "tries_left: state.tries_left,",
  },
  {
    breaks: "a retried task expires again at once",
    file: TASK,
    search: "expires_at: state.expires_at !== null && state.expires_at <= c.now ? null : state.expires_at,",
    replace: "expires_at: state.expires_at,",
  },
  {
    breaks: "extended time is lost with the connection",
    file: DEADLINES,
    search: "Math.max(until, state.extended_until ?? 0)",
    replace: "until",
  },
  {
    breaks: "anyone may ask for more time",
    file: TASK,
    search: "  assertHolds(state, attempt, c.caller);\n  const until",
    replace: "  const until",
  },
  {
    breaks: "a stale holder overwrites the progress of the present one",
    file: TASK,
    search: "  assertHolds(state, said.attempt, c.caller);\n",
    replace: "",
  },
  {
    breaks: "progress of an earlier attempt is told as the present one's",
    file: TASK,
    search: "    progress: null,\n",
    replace: "",
  },
  {
    breaks: "a sender can say that its own message was seen",
    file: DECIDE,
    search: "if (!isRecipient(state, actor)) {",
    replace: "if (actor === null) {",
  },
  {
    breaks: "what was seen was never delivered",
    file: DECIDE,
    search: "seen_at: now, delivered_at: state.delivered_at ?? now }",
    replace: "seen_at: now }",
  },
  {
    breaks: "a task begins when the first of those that it waits for is complete",
    file: DEPENDENCY,
    search: "blocked: state.blocked - 1 }",
    replace: "blocked: 0 }",
  },
  {
    breaks: "a task goes on although what it waited for failed",
    file: DEPENDENCIES,
    search: "apply(waiter, isComplete ? unblocked(waiter, c.now) : failedByDependency(waiter, id, c));",
    replace: "apply(waiter, unblocked(waiter, c.now));",
  },
  {
    breaks: "what is deleted leaves those that wait for it stuck",
    file: DEPENDENCIES,
    search: "(after && !isOver(after))) return;",
    replace: "!after || !isOver(after)) return;",
  },
  {
    breaks: "a long chain is settled in part",
    file: ENGINE,
    search: "const wakeAt = this.#dependencies.isBehind ? now : this.#nextWake();",
    replace: "const wakeAt = this.#nextWake();",
  },
  {
    breaks: "a retried task does not wait any more",
    file: ENGINE,
    search: 'if (command.op === "retry" && state.after) return this.#retryWaiting(state, caller);',
    replace: "",
  },
  {
    breaks: "of several queues the first is emptied before the others",
    file: ENGINE,
    search: "if (next && (!first || goesBefore(next, first))) first = next;",
    replace: "first ??= next;",
  },
  {
    breaks: "an answer leaves the trace of what it answers",
    file: TRACE,
    search: "return parts ?",
    replace: "return parts && parts.length === 0 ?",
  },
  {
    breaks: "receipts: one reader's acknowledgement ends a chat to everyone",
    file: RECEIPTS,
    search: 'mark === "acknowledged" && !isOver(state) && !this.#table.isOpen(state.id)',
    replace: 'mark === "acknowledged"',
  },
  {
    breaks: "receipts: a chat that all have acknowledged stays pending",
    file: RECEIPTS,
    search: 'mark === "acknowledged" && !isOver(state) && !this.#table.isOpen(state.id)',
    replace: "false as boolean",
  },
  {
    breaks: "receipts: everyone is told of everyone's",
    file: JOURNAL,
    search: "this.#append(draft, state, state, false, state.from_claude);",
    replace: "this.#append(draft, state, state, false);",
  },
  {
    breaks: "receipts: a sender cannot end its own chat to everyone",
    file: RECEIPT,
    search: " || claude_id === state.from_claude) return undefined;",
    replace: ") return undefined;",
  },
  {
    breaks: "receipts: what is seen later moves back when it was delivered",
    file: RECEIPT,
    search: "delivered_at: receipt.delivered_at ?? now,",
    replace: "delivered_at: now,",
  },
  {
    breaks: "receipts: a repeat is told again",
    file: RECEIPTS,
    search: "if (isMarked(receipt, mark)) {",
    replace: "if (isMarked(receipt, mark) && said) {",
  },
  {
    breaks: "receipts: what is given back is given back for all",
    file: RECEIPT,
    search: '  release: "delivered", // whoever gives it back has had it\n',
    replace: "",
  },
  {
    breaks: "receipts: who acknowledges twice may say something else",
    file: RECEIPTS,
    search: "if (said && condensed !== receipt.said) throw",
    replace: "if (said && condensed === undefined) throw",
  },
  {
    breaks: "receipts: strangers keep a chat from completing",
    file: SQLITE_RECEIPTS,
    search: "acknowledged_at IS NULL AND NOT late LIMIT 1",
    replace: "acknowledged_at IS NULL LIMIT 1",
  },
  {
    breaks: "receipts: who has not been there for weeks has one",
    file: SQLITE_RECEIPTS,
    search: "WHERE state <> 'offline' OR last_seen >= ?",
    replace: "WHERE ? IS NOT NULL",
  },
  {
    breaks: "receipts: they outlive their message",
    file: LEDGER,
    search: "if (state.to_claude === EVERYONE) this.receipts.forget(state.id);",
    replace: "",
  },
  {
    breaks: "receipts: the sender has one, too",
    file: SQLITE_RECEIPTS,
    search: ".filter((name) => name !== sender)",
    replace: "",
  },
  {
    breaks: "receipts: who came in the same moment has none",
    file: "server/store/sqlite/tables/sqliteLedger.ts",
    search: "transitions: readonly PresenceTransition[]): void {\n    this.receipts.instancesChanged();\n",
    replace: "transitions: readonly PresenceTransition[]): void {\n",
  },
  {
    breaks: "receipts: in a crowd, who is long gone goes before who is there",
    file: SQLITE_RECEIPTS,
    search: "ORDER BY state = 'online' DESC, last_seen DESC, claude_id LIMIT",
    replace: "ORDER BY state = 'online', last_seen DESC, claude_id LIMIT",
  },
];
