/** What the walks do: steps that fast-check draws, and the commands that they mean where the model stands. */
import fc from "fast-check";
import type { Caller } from "../../../../server/core/message.ts";
import type { StoreCommand, StoreCommandOf } from "../../../../server/store/storeCommands.ts";
import { PRIORITIES } from "../../../../shared/vocabulary.ts";
import { lostRun, MINUTE, NOBODY, name, run, SECOND } from "../../core/support.ts";
import type { ModelMessage } from "./message.ts";

const CALLERS = {
  "a/r1": run("a", "r1"),
  "a/r2, gone": lostRun("a", "r2"),
  a: name("a"),
  "b/r1": run("b", "r1"),
  nobody: NOBODY,
};

type Who = keyof typeof CALLERS | "the holder";

/** One command, drawn before it is known what it will meet. */
interface Op {
  op: keyof typeof COMMANDS;
  by: Who;
  /** Counts through all messages that were ever sent. */
  about: number;
  attempt: "held" | "stale" | "none";
  key?: string;
  /** Decides everything else. */
  variant: number;
}

export type Step =
  | { commit: Op[] }
  | { tick: number; wakes: boolean }
  /** The wall clock is set. */
  | { step: number }
  /** The process is stopped for so long. */
  | { stop: number }
  /** Closed and opened again; how the wall clock has moved meanwhile. */
  | { restart: number };

/** An operation where it is to be performed. */
interface Meant {
  caller: Caller;
  holder: { claude_id: string; run: string };
  id: string;
  oldest: string;
  fenced: { attempt?: number };
  keyed: { claim_key?: string };
  key: string | undefined;
  variant: number;
  now: number;
}

type ChangeCommand = StoreCommandOf<"change">["command"];

const change = ({ id, caller }: Meant, command: ChangeCommand): StoreCommand => ({ op: "change", id, caller, command });

const result = (variant: number) => (variant % 2 ? {} : { result: `result ${variant % 3}` });
/** How a task is given back: mostly as it is. */
const REST: readonly object[] = [{}, {}, { reason: "not now" }, { rest_ms: 30 * SECOND }, { rest_ms: 0, reason: "no" }];

const claimWords = (variant: number) =>
  variant % 5 === 0 ? { tasksOnly: true } : variant % 3 === 0 ? { ...result(variant), ...error(variant) } : {};
const error = (variant: number) => ({ error: `error ${variant % 2}` });

const COMMANDS = {
  send: ({ caller, key, variant, now, id, oldest }): StoreCommand => ({
    op: "send",
    // Few bodies under a key, so that some sends repeat an earlier one.
    said: key
      ? { from_claude: sender(caller), to_claude: "a", task: `t${variant % 2}` }
      : {
          ...saidBy(caller, variant, now),
          ...goingOn(variant, id, oldest),
          ...(variant % 8 === 5 && { after: variant === 5 ? [id, oldest] : [id] }),
        },
    ...(key && { key }),
  }),
  claim: (meant) => change(meant, { op: "claim", ...meant.keyed, ...claimWords(meant.variant) }),
  claim_next: ({ caller, keyed, variant }) => ({
    op: "claim_next",
    caller,
    queues: variant % 5 === 0 ? ["b", "a"] : [variant % 2 ? "a" : "b"],
    ...keyed,
  }),
  complete: (meant) => change(meant, { op: "complete", ...meant.fenced, ...result(meant.variant) }),
  fail: (meant) => change(meant, { op: "fail", ...meant.fenced, ...error(meant.variant), ...result(meant.variant) }),
  retry: (meant) => change(meant, { op: "fail", ...meant.fenced, ...error(meant.variant), retryable: true }),
  release: (meant) => change(meant, { op: "release", ...meant.fenced, ...REST[meant.variant % 5] }),
  cancel: (meant) => change(meant, { op: "cancel", ...(meant.variant % 2 === 0 && { reason: "no need" }) }),
  revive: (meant) => change(meant, { op: "retry" }),
  extend: (meant) =>
    change(meant, { op: "extend", ...meant.fenced, ...(meant.variant % 3 > 0 && { lease_ms: 20 * SECOND }) }),
  progress: (meant) =>
    change(meant, { op: "progress", ...meant.fenced, percent: meant.variant, note: `note ${meant.variant % 2}` }),
  seen: (meant) => change(meant, { op: "seen" }),
  delete: ({ caller, id }) => ({ op: "delete", caller, id }),
  delivered: ({ id, oldest }) => ({ op: "delivered", reader: "a", ids: [id, oldest] }),
  presence: ({ variant, now }) => ({
    op: "presence",
    transitions: [{ claude_id: variant % 3 ? "a" : "c", state: variant % 2 ? "online" : "offline", at: now }],
  }),
  lapse: ({ holder }) => ({ op: "lapse", holder, forMs: 30 * SECOND }),
  "lapse all": () => ({ op: "lapse", forMs: 45 * SECOND }),
  keep: ({ holder }) => ({ op: "keep", holder }),
  lengthen: ({ holder }) => ({ op: "lengthen", claude_id: holder.claude_id, forMs: 31 * MINUTE }),
  prune: ({ variant, now }) => ({
    op: "prune",
    complete_before: variant % 2 ? now - SECOND : null,
    failed_before: variant % 3 ? now + 1 : null,
    ...{ log_before: null, max_bytes: null, keys_after: null, seen_before: null, max_instances: null },
    history_before: null,
  }),
} satisfies Record<string, (meant: Meant) => StoreCommand>;

/** The command that an operation means. */
export function commandOf(op: Op, sent: readonly ModelMessage[], now: number): StoreCommand {
  const message = sent[op.about % Math.max(1, sent.length)];
  const caller = op.by === "the holder" ? holderOf(message) : CALLERS[op.by];
  const attempt = (message?.attempt ?? 0) - (op.attempt === "stale" ? 1 : 0);
  return COMMANDS[op.op]({
    caller,
    holder: { claude_id: caller.claude_id ?? "a", run: caller.run ?? "r1" },
    id: message?.id ?? "nothing",
    oldest: sent[0]?.id ?? "nothing",
    fenced: op.attempt === "none" ? {} : { attempt },
    keyed: op.key ? { claim_key: op.key } : {},
    key: op.key,
    variant: op.variant,
    now,
  });
}

const holderOf = (message: ModelMessage | undefined): Caller => ({
  claude_id: message?.holder?.name ?? null,
  run: message?.holder?.run ?? null,
  attached: true,
});

const sender = ({ claude_id }: Caller) => claude_id ?? "c";

/** A message that differs with the variant in everything that decides. */
function saidBy(caller: Caller, variant: number, now: number) {
  const pick = <T>(items: readonly T[], by: number) => items[Math.floor(variant / by) % items.length] as T;
  const isChat = variant % 4 === 0;
  return {
    from_claude: sender(caller),
    to_claude: variant === 1 ? "*" : pick(isChat ? ["a", "b", "*"] : ["a", "b"], 4),
    task: pick(["t1", "t2"], 30),
    ...(isChat && { type: "chat" as const }),
    ...(variant % 3 === 1 && { priority: pick(PRIORITIES, 3) }),
    ...(variant % 6 === 3 && { timeout_ms: 10 * SECOND }),
    ...(variant % 5 === 2 && { expires_at: now + 20 * SECOND }),
    ...(variant % 7 === 5 && { not_before: now + 5 * SECOND }),
    ...(variant % 3 === 2 && { backoff_ms: pick([0, 1, 400_000], 3) }),
    ...(variant % 4 === 1 && { max_attempts: pick([1, 2], 4) }),
  };
}

/** Some answer another message, some are a part of one, some both. */
const goingOn = (variant: number, id: string, oldest: string) => ({
  ...(variant % 4 > 1 && { reply_to: id }),
  ...(variant % 5 === 3 && { parent_id: oldest }),
});

const op = (names: (keyof typeof COMMANDS)[]): fc.Arbitrary<Op> =>
  fc.record(
    {
      op: fc.constantFrom(...names),
      by: fc.oneof(fc.constant<Who>("the holder"), fc.constantFrom<Who>(...(Object.keys(CALLERS) as Who[]))),
      about: fc.nat(7),
      attempt: fc.constantFrom("held", "held", "held", "stale", "none"),
      key: fc.constantFrom("k1", "k2"),
      variant: fc.nat(59),
    },
    { requiredKeys: ["op", "by", "about", "attempt", "variant"] },
  );

const anyOp = fc.oneof(
  { weight: 4, arbitrary: op(["send"]) },
  { weight: 5, arbitrary: op(["claim", "claim_next"]) },
  { weight: 6, arbitrary: op(["complete", "fail", "retry", "release"]) },
  { weight: 4, arbitrary: op(["cancel", "revive", "extend", "progress", "seen"]) },
  { weight: 3, arbitrary: op(["delete", "delivered", "presence", "lapse", "lapse all", "keep", "lengthen"]) },
  { weight: 1, arbitrary: op(["prune"]) },
);

const commit = fc.record({ commit: fc.array(anyOp, { minLength: 1, maxLength: 3 }) });
const tick = fc.record({
  tick: fc.constantFrom(1, SECOND, 10 * SECOND, 31 * SECOND, 11 * MINUTE),
  wakes: fc.boolean(),
});
const [HOUR, DAY] = [60 * MINUTE + 7, 24 * 60 * MINUTE + 7]; // no two priorities are as far apart
const step = fc.record({ step: fc.constantFrom(-DAY, -HOUR, -20 * SECOND, -400, 400, HOUR, DAY) });
const stop = fc.record({ stop: fc.constantFrom(3 * SECOND, HOUR) });
const restart = fc.record({ restart: fc.constantFrom(0, 0, 4 * SECOND, HOUR, -DAY) });

/** Walks of steps; with restarts where a store can be opened again. */
export const walks = (options: { restarts: boolean; maxLength: number }): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof(
      { weight: 9, arbitrary: commit },
      { weight: 3, arbitrary: tick },
      { weight: 1, arbitrary: fc.oneof(step, stop) },
      ...(options.restarts ? [{ weight: 1, arbitrary: restart }] : []),
    ),
    { maxLength: options.maxLength, size: "max" },
  );
