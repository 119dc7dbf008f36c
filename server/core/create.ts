/** How a message is created. */

import { EVERYONE } from "../../shared/addressing.ts";
import { TASK_DEFAULTS } from "../../shared/defaults.ts";
import { HubError } from "../../shared/errors.ts";
import type { MessageType, Priority } from "../../shared/message.ts";
import type { WholeMessage } from "../../shared/sendRule.ts";
import type { ChainPosition } from "./chain.ts";
import type { Decision } from "./decision.ts";
import type { LeasePolicy, MessageState } from "./message.ts";
import { waiting } from "./readiness.ts";

/** What a sender said, sender included, times in milliseconds. */
export interface NewMessage {
  readonly from_claude: string;
  readonly to_claude: string;
  readonly task: string;
  readonly context?: string | undefined;
  readonly type?: MessageType | undefined;
  readonly priority?: Priority | undefined;
  readonly thread_id?: string | undefined;
  readonly reply_to?: string | undefined;
  readonly parent_id?: string | undefined;
  readonly after?: readonly string[] | undefined;
  readonly not_before?: number | undefined;
  readonly expires_at?: number | undefined;
  readonly timeout_ms?: number | undefined;
  readonly max_attempts?: number | undefined;
  readonly backoff_ms?: number | undefined;
  readonly traceparent?: string | undefined;
}

/** What came over the wire, with its sender, times in milliseconds. */
export const newMessage = (from_claude: string, { not_before, expires_at, ...said }: WholeMessage): NewMessage => ({
  from_claude,
  ...said,
  ...(not_before !== undefined && { not_before: Date.parse(not_before) }),
  ...(expires_at !== undefined && { expires_at: Date.parse(expires_at) }),
});

interface Birth {
  readonly id: string;
  readonly now: number;
  /** For what a task's sender leaves out. */
  readonly defaults: Pick<LeasePolicy, "maxAttempts" | "backoffMs">;
  /** Its position in an exchange. */
  readonly position: ChainPosition;
  /** How many messages it waits for. */
  readonly blocked: number;
}

/**
 * @throws HubError `not_a_task` for a task to everyone, and for a chat with `after` or `not_before`; `invalid_params`
 *   when it would expire before it can be claimed.
 */
export function create(said: NewMessage, { id, now, defaults, position, blocked }: Birth): Decision {
  assertPossible(said);
  const type = said.type ?? "task";
  const { maxAttempts, backoffMs } = type === "task" ? defaults : {}; // a chat is not tried
  const max_attempts = said.max_attempts ?? maxAttempts ?? TASK_DEFAULTS.max_attempts;
  const state: MessageState = {
    id,
    from_claude: said.from_claude,
    to_claude: said.to_claude,
    task: said.task,
    context: said.context ?? null,
    type,
    status: "pending",
    result: null,
    error: null,
    created_at: now,
    updated_at: now,
    priority: said.priority ?? null,
    thread_id: said.thread_id ?? null,
    reply_to: said.reply_to ?? null,
    parent_id: said.parent_id ?? null,
    after: said.after ?? null,
    blocked,
    not_before: said.not_before ?? null,
    expires_at: said.expires_at ?? null,
    timeout_ms: said.timeout_ms ?? null,
    max_attempts,
    backoff_ms: said.backoff_ms ?? backoffMs ?? TASK_DEFAULTS.backoff_ms,
    traceparent: said.traceparent ?? null,
    chain_id: position.chain_id,
    hops: position.hops,
    attempt: 0,
    tries_left: max_attempts,
    claimed_by: null,
    claimed_run: null,
    claim_key: null,
    claimed_at: null,
    lease_until: null,
    timeout_at: null,
    delivered_at: null,
    completed_at: null,
    failure: null,
    seq: 0,
    claim_rank: null,
    wake_at: null,
    progress: null,
    seen_at: null,
    extended_until: null,
  };
  return { next: waiting(state, now), events: [{ kind: "new", actor: said.from_claude }] };
}

export const CHAT_WAITS_FOR_NOTHING = "A chat waits for nothing: only a task can have `after` or `not_before`";

/** @throws HubError `not_a_task` */
export function assertMayWait({ type }: NewMessage, field: "after" | "not_before"): void {
  if (type === "chat") throw new HubError("not_a_task", CHAT_WAITS_FOR_NOTHING, { field });
}

/** Why nobody sends this any more; undefined: its time has not passed. */
export function refusalOfPast({ expires_at }: NewMessage, now: number): HubError | undefined {
  if (expires_at === undefined || expires_at > now) return undefined;
  const why = `expires_at has passed: it is ${new Date(now).toISOString()} by the hub's clock`;
  return new HubError("invalid_params", why, { field: "expires_at" });
}

/** @throws HubError what `create` would throw of such a message. */
export function assertPossible(said: NewMessage): void {
  if (said.after) assertMayWait(said, "after");
  if (said.not_before !== undefined) assertMayWait(said, "not_before");
  if (said.to_claude === EVERYONE && said.type !== "chat") {
    throw new HubError("not_a_task", "A task needs one recipient: only a chat can go to *", { field: "to_claude" });
  }
  const { not_before, expires_at } = said;
  if (not_before !== undefined && expires_at !== undefined && not_before >= expires_at) {
    throw new HubError("invalid_params", "not_before must be earlier than expires_at: it would expire first", {
      field: "not_before",
    });
  }
}
