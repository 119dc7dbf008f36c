/** Bugs to plant in the core and the store, one at a time: whatever the tests do not notice, they do not test. */

export interface Mutation {
  /** What a user would suffer. */
  breaks: string;
  file: string;
  /** Stands in the file exactly once. */
  search: string;
  replace: string;
}

const TASK = "server/core/task.ts";
const ENDINGS = "server/core/endings.ts";
const HOLDER = "server/core/holder.ts";
const READINESS = "server/core/readiness.ts";
const DECIDE = "server/core/decide.ts";
const ENGINE = "server/store/engine/engine.ts";
const SENDING = "server/store/engine/sending.ts";
const JOURNAL = "server/store/engine/journal.ts";
const EVENT_JSON = "server/store/json/eventJson.ts";
const LEDGER = "server/store/sqlite/tables/sqliteLedger.ts";
const LOG_INDEX = "server/store/sqlite/tables/logIndex.ts";
const LOG_MIGRATION = "server/store/sqlite/migrations/012-log-index.sql";
const LOG_READER = "server/store/sqlite/tables/logReader.ts";
const LOG_TABLE = "server/store/sqlite/tables/logTable.ts";
const READS = "server/store/sqlite/tables/sqliteReads.ts";
const TALLY = "server/store/sqlite/tables/tally.ts";
const BACKLOG = "server/store/engine/backlog.ts";
const CHAIN = "server/core/chain.ts";
const CHAINS = "server/store/engine/chains.ts";
const RETENTION = "server/store/sqlite/tables/sqliteRetention.ts";

export const MUTATIONS: readonly Mutation[] = [
  {
    breaks: "a claim does not raise the attempt",
    file: TASK,
    search: 'status: "in_progress",\n    attempt: state.attempt + 1,',
    replace: 'status: "in_progress",\n    attempt: state.attempt,',
  },
  {
    breaks: "a task given back untried has lost a try",
    file: TASK,
    search: "{ ...state, tries_left: state.tries_left + 1 }",
    replace: "state",
  },
  {
    breaks: "a task that is given back to rest is claimable at once",
    file: TASK,
    search: "waiting({ ...untried, not_before: c.now + rest_ms }, c.now)",
    replace: "claimable(untried)",
  },
  {
    breaks: "what is said beside the claim is not told again on replay",
    file: EVENT_JSON,
    search: '  claimed: "own",',
    replace: '  claimed: "none",',
  },
  {
    breaks: "a stale attempt may end the task",
    file: HOLDER,
    search: "if (attempt !== undefined && attempt !== state.attempt) {",
    replace: "if (attempt !== undefined && attempt > state.attempt) {",
  },
  {
    breaks: "another run of the same name may end the task",
    file: HOLDER,
    search: "return state.claimed_run === null || state.claimed_run === caller.run;",
    replace: "return true;",
  },
  {
    breaks: "a lost holder's lease never runs out",
    file: TASK,
    search: "const lapsed = state.lease_until !== null && state.lease_until <= c.now;",
    replace: "const lapsed = state.lease_until !== null && state.lease_until < 0;",
  },
  {
    breaks: "a time-out does not bound an attempt whose lease is kept",
    file: TASK,
    search: "const timedOut = state.timeout_at !== null && state.timeout_at <= c.now;",
    replace: "const timedOut = state.timeout_at !== null && state.timeout_at <= c.now && state.lease_until !== null;",
  },
  {
    breaks: "a task that is out of tries is tried for ever",
    file: TASK,
    search: '  if (state.tries_left === 0) return failed(state, "attempts_exhausted", { error }, c, null);\n',
    replace: "",
  },
  {
    breaks: "any claim key gets the holder's answer",
    file: TASK,
    search: "command.claim_key !== undefined && command.claim_key === state.claim_key;",
    replace: "command.claim_key !== undefined;",
  },
  {
    breaks: "a second outcome with another result is answered as if it had been accepted",
    file: ENDINGS,
    search: "(result ?? null) === state.result &&",
    replace: "result !== null &&",
  },
  {
    breaks: "the last holder cannot complete between its lease's end and the next claim",
    file: TASK,
    search: "if (command.attempt !== undefined) return completeHeld(state, command, c);",
    replace: "if (command.attempt !== undefined) return refuse(state, command);",
  },
  {
    breaks: "a failed task is tried again without a rest",
    file: READINESS,
    search: "return Math.round(full * (0.5 + random() / 2));",
    replace: "return Math.round(full * random() * 0);",
  },
  {
    breaks: "low priority goes first",
    file: READINESS,
    search: 'state.created_at - HEAD_START_MS[state.priority ?? "normal"]',
    replace: 'state.created_at + HEAD_START_MS[state.priority ?? "normal"]',
  },
  {
    breaks: "what was delivered is delivered again",
    file: DECIDE,
    search: 'if (state.delivered_at !== null || state.status !== "pending")',
    replace: 'if (state.status !== "pending")',
  },
  {
    breaks: "an idempotency key is shared by all senders",
    file: SENDING,
    search: "this.#ledger.remember(said.from_claude, key,",
    replace: 'this.#ledger.remember("", key,',
  },
  {
    breaks: "the same key with another body is taken for a repeat",
    file: SENDING,
    search: "known.fingerprint === fingerprint, said)",
    replace: "known.fingerprint !== undefined, said)",
  },
  {
    breaks: "counts only ever rise",
    file: JOURNAL,
    search: "    if (before) this.#tallyStatus(before, -1);\n",
    replace: "",
  },
  {
    breaks: "a message's seq is not that of its last event when it has two at once",
    file: JOURNAL,
    search: "after.seq = this.#tally.head + events.length;",
    replace: "after.seq = this.#tally.head + 1;",
  },
  {
    breaks: "a run that goes twice gets a longer lease",
    file: ENGINE,
    search: "(state) => state.lease_until ?? this.#now + forMs)",
    replace: "() => this.#now + forMs)",
  },
  {
    breaks: "a heartbeat shortens leases",
    file: ENGINE,
    search: "Math.max(state.lease_until ?? 0, this.#now + forMs)",
    replace: "Math.min(state.lease_until ?? 0, this.#now + forMs)",
  },
  {
    breaks: "events no longer fold into the state when a waiting task is ended",
    file: EVENT_JSON,
    search: "(waited ? time(",
    replace: "(waited && s.attempt < 0 ? time(",
  },
  {
    breaks: "the last event before a cursor is read again",
    file: LOG_READER,
    search: "WHERE l.seq > :after ORDER BY",
    replace: "WHERE l.seq >= :after ORDER BY",
  },
  {
    breaks: "what was sent to everyone is not replayed",
    file: LOG_INDEX,
    search: ", \"name = '*' AND is_sender = 0\"];",
    replace: "];",
  },
  {
    breaks: "the first entry after a block of the log is in its index, and never read again",
    file: LOG_INDEX,
    search: "const to = indexedUpTo(last);",
    replace: "const to = indexedUpTo(last) + 1;",
  },
  {
    breaks: "what the log's index holds is read once more from the log itself",
    file: LOG_READER,
    search: "after: Math.max(after, end), limit",
    replace: "after, limit",
  },
  {
    breaks: "what is deleted from the log stays in its index",
    file: LOG_MIGRATION,
    search: "  DELETE FROM coordination_log_index WHERE name IN (old.to_claude, old.from_claude) AND seq = old.seq;\n",
    replace: "",
  },
  {
    breaks: "the counts of a log whose end is gone are believed",
    file: LOG_MIGRATION,
    search: "  UPDATE coordination_log SET counts = NULL WHERE seq = old.seq - 1;\n",
    replace: "",
  },
  {
    breaks: "counts are lost with a restart",
    file: LOG_TABLE,
    search: "    values[values.length - 1] = JSON.stringify(counts);\n",
    replace: "    values[values.length - 1] = JSON.stringify({ ...counts, complete: 0 });\n",
  },
  {
    breaks: "a portion of the log claims to lead further than it does",
    file: LOG_READER,
    search: "return slice.cut();",
    replace: "return slice.end(head);",
  },
  {
    breaks: "deleting a message keeps its bodies in the file",
    file: LEDGER,
    search: "    this.#sql.eraseBodies.run(state.id);\n",
    replace: "",
  },
  {
    breaks: "what was undone is still remembered: a deleted message comes back from memory",
    file: LEDGER,
    search: "    this.#attempts.forget(state.id);\n    this.#cache.delete(state.id);\n",
    replace: "    this.#attempts.forget(state.id);\n",
  },
  {
    breaks: "pruning takes messages away without telling",
    file: ENGINE,
    search: "void this.#journal.apply(state, decideDelete(HUB.claude_id))",
    replace: "this.#ledger.remove(state)",
  },
  {
    breaks: "a log that is pruned whole begins again at 1 after a restart",
    file: RETENTION,
    search: "seq < (SELECT max(seq) FROM coordination_log)",
    replace: "seq <= (SELECT max(seq) FROM coordination_log)",
  },
  {
    breaks: "a reader whose next events are pruned is handed a gap",
    file: READS,
    search: "if (after < floor) throw prunedPast(floor);",
    replace: "",
  },
  {
    breaks: "a key is forgotten while its message is there",
    file: RETENTION,
    search: "AND NOT EXISTS (SELECT 1 FROM coordination_messages m WHERE m.id = message_id)",
    replace: "",
  },
  {
    breaks: "a bound on the size takes what an application's tables hold for the hub's",
    file: RETENTION,
    search: "if (!this.#isOwn()) return null;",
    replace: "",
  },
  {
    breaks: "a rolled-back file goes on under its old epoch",
    file: "server/store/sqlite/file/epoch.ts",
    search: "seen !== undefined && head >= seen &&",
    replace: "seen !== undefined &&",
  },
  {
    breaks: "a hub that lost its file writes the log into whatever has its name now",
    file: "server/store/sqlite/file/openFile.ts",
    search: "of [db, reader]) {",
    replace: "of [reader, db]) {",
  },
  {
    breaks: "a backup that is copied over a running hub's file goes unnoticed",
    file: "server/store/sqlite/file/filesInPlace.ts",
    search: " || !this.#header.hasWal(found)",
    replace: "",
  },
  {
    breaks: "commits are not synced to the disk",
    file: "server/store/sqlite/file/database.ts",
    search: 'db.pragma("synchronous = FULL");',
    replace: 'db.pragma("synchronous = NORMAL");',
  },
  {
    breaks: "bounds: a chat that its recipient has read is in the way for ever",
    file: BACKLOG,
    search: '(state.type === "task" || state.delivered_at === null)',
    replace: "state.seq >= 0",
  },
  {
    breaks: "bounds: what was taken goes on counting as waiting",
    file: BACKLOG,
    search: "Number(mayWait(after)) - Number(mayWait(before))",
    replace: "Math.max(0, Number(mayWait(after)) - Number(mayWait(before)))",
  },
  {
    breaks: "bounds: a send that was refused leaves its key behind",
    file: SENDING,
    search: "? this.#ledger.recall(said.from_claude, key)",
    replace: "? this.#ledger.remember(said.from_claude, key, { id: judged.id, fingerprint, created_at: now })",
  },
  {
    breaks: "bounds: a repeat is refused because its recipient is full meanwhile",
    file: SENDING,
    search: "? this.#ledger.recall(said.from_claude, key)",
    replace: "? undefined",
  },
  {
    breaks: "bounds: after a restart chats that were read count as waiting",
    file: TALLY,
    search: " AND (type = 'task' OR delivered_at IS NULL)",
    replace: "",
  },
  {
    breaks: "bounds: after a restart what was sent to everyone counts against its sender, though all have it",
    file: TALLY,
    search: " AND delivered_at IS NULL AND NOT late))",
    replace: " AND NOT late))",
  },
  {
    breaks: "loops: an answer to an answer begins a chain of its own",
    file: CHAIN,
    search: "chain_id: chain_id ?? id,",
    replace: "chain_id: id,",
  },
  {
    breaks: "loops: of two exchanges the shorter one counts",
    file: CHAIN,
    search: "if (next.hops > (position.hops ?? 0))",
    replace: "if (position.hops === null || next.hops < position.hops)",
  },
  {
    breaks: "loops: a lift counts from the bound, not from where the exchange has come to",
    file: CHAINS,
    search: "hops + more)",
    replace: "chain_hops + more)",
  },
  {
    breaks: "loops: a later, smaller lift takes back what was allowed",
    file: CHAINS,
    search: "Math.max(chain_hops, ledger.liftedTo(chain_id) ?? 0, hops + more)",
    replace: "Math.max(chain_hops, hops + more)",
  },
  {
    breaks: "loops: an exchange that was lifted is never stopped again",
    file: CHAINS,
    search: "return position.hops > limit ?",
    replace: "return position.hops > limit && limit === chain_hops ?",
  },
  {
    breaks: "lists: a place of a deleted message is given again after a restart",
    file: LEDGER,
    search: "Math.max(seq, this.#lastPlace + 1)",
    replace: "this.#lastPlace + 1",
  },
  {
    breaks: "keys: a repeat that spells out the type is another message",
    file: "server/store/engine/sending.ts",
    search: "JSON.stringify(extended(rest, { type }))",
    replace: "JSON.stringify(extended(said, { type }))",
  },
];
