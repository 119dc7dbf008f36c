/** Messages, callers and circumstances as the tests of the core need them. */

import { BEGINS } from "../../../server/core/chain.ts";
import type { Command, CommandOf } from "../../../server/core/commands.ts";
import { create, type NewMessage } from "../../../server/core/create.ts";
import { decide } from "../../../server/core/decide.ts";
import type { Decision } from "../../../server/core/decision.ts";
import type { Caller, LeasePolicy, MessageState } from "../../../server/core/message.ts";
import { type ErrorCode, HubError } from "../../../shared/errors.ts";

export const NOW = Date.UTC(2026, 0, 1);
export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;

export const LEASE: LeasePolicy = { graceMs: 30 * SECOND, detachedMs: 30 * MINUTE, backoffMaxMs: 10 * MINUTE };

type Named = Caller & { readonly claude_id: string };
type Run = Named & { readonly run: string };

/** An instance without a run: its claims are detached. */
export const name = (claude_id: string): Named => ({ claude_id, run: null, attached: false });

/** A run with a living connection. */
export const run = (claude_id: string, id: string): Run => ({ claude_id, run: id, attached: true });

/** A run whose last connection is gone. */
export const lostRun = (claude_id: string, id: string): Run => ({ claude_id, run: id, attached: false });

/** Whoever uses the document's API without a name. */
export const NOBODY: Caller = { claude_id: null, run: null, attached: false };

export const HUB = NOBODY;

/** The recipient of every message here, as the run that works on it. */
export const WORKER = run("worker", "r1");

const SAID = { from_claude: "boss", to_claude: "worker", task: "scrape" } as const;

/** A task from boss to worker, sent now. */
export const task = (said: Partial<NewMessage> = {}): MessageState => born({ ...SAID, ...said });

/** A chat from boss to worker, sent now. */
export const chat = (said: Partial<NewMessage> = {}): MessageState => born({ ...SAID, type: "chat", ...said });

/** What is known of each message here when it is created. */
export const BIRTH = { id: "id-1", now: NOW, defaults: {}, position: BEGINS, blocked: 0 } as const;

const born = (said: NewMessage) => create(said, BIRTH).next as MessageState;

interface Asked {
  by?: Caller;
  at?: number;
  /** What the dice say: 0 is the shortest rest, towards 1 the longest. */
  random?: number;
}

/** What the core decides. */
export const ask = (
  state: MessageState,
  command: Command,
  { by = WORKER, at = NOW, random = 0 }: Asked = {},
): Decision => decide(state, command, { caller: by, now: at, random: () => random, lease: LEASE });

/** The message after a command that is not refused. */
export const become = (state: MessageState, command: Command, asked?: Asked): MessageState =>
  ask(state, command, asked).next as MessageState;

/** The kinds of event that a command causes. */
export const kinds = (decision: Decision) => decision.events.map((event) => event.kind);

/** The code with which a command is refused; undefined when it is not. */
export function refusal(state: MessageState, command: Command, asked?: Asked): ErrorCode | undefined {
  return refused(state, command, asked)?.code;
}

/** The error with which a command is refused. */
export function refused(state: MessageState, command: Command, asked?: Asked): HubError | undefined {
  try {
    ask(state, command, asked);
    return undefined;
  } catch (error) {
    if (error instanceof HubError) return error;
    throw error;
  }
}

export const claim = (claim_key?: string): CommandOf<"claim"> => ({ op: "claim", claim_key });
export const complete = (attempt?: number, result = "done"): CommandOf<"complete"> => ({
  op: "complete",
  attempt,
  result,
});
export const fail = (attempt?: number, error = "broken"): CommandOf<"fail"> => ({ op: "fail", attempt, error });
export const failRetryable = (attempt?: number): CommandOf<"fail"> => ({ ...fail(attempt), retryable: true });
export const release = (attempt?: number): CommandOf<"release"> => ({ op: "release", attempt });
export const wake = { op: "wake" } as const;

/** The task, claimed by the worker's run. */
export const claimed = (said: Partial<NewMessage> = {}): MessageState => become(task(said), claim());

/** The task, back after its holder was lost; its last holder is the worker's run, its attempt 1. */
export const requeued = (said: Partial<NewMessage> = {}): MessageState =>
  become(leaseEnding(claimed(said), NOW), wake, { by: HUB });

/** The held task with a lease that ends at a time. */
export const leaseEnding = (state: MessageState, at: number): MessageState => ({ ...state, lease_until: at });
