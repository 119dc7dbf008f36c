/**
 * Events as JSON, in two parts: the envelope, kept in the log, and the bodies, kept once. A live event and
 * its replay are the same bytes because both are `assemble(envelope, bodies)`.
 */
import type { EventKind } from "../../../shared/event.ts";
import type { EventDraft } from "../../core/decision.ts";
import type { MessageState } from "../../core/message.ts";
import { iso } from "../../iso.ts";
import { addresses, bodies, leaseAt, progressField, quoted, senderFields, time } from "./messageJson.ts";

/** When an event happens, and to what. */
interface EventMoment {
  now: number;
  graceMs: number;
  /** Whether the message was waiting just before. */
  waited: boolean;
}

/** The event up to where its bodies go. */
export function envelope(seq: number, draft: EventDraft, s: MessageState, moment: EventMoment): string {
  const actor = draft.actor === null ? "" : `,"actor":${quoted(draft.actor)}`;
  const attempt = s.type === "task" ? `,"attempt":${s.attempt}` : "";
  return (
    `{"seq":${seq},"kind":"${draft.kind}","at":"${iso(moment.now)}"${actor},"message":${addresses(s)}` +
    `,"type":"${s.type}","status":"${s.status}"${attempt}${CHANGES[draft.kind](s, moment)}`
  );
}

/** The whole event. */
export const assemble = (envelopeJson: string, bodiesJson: string) => `${envelopeJson}${bodiesJson}}}`;

/** What replaces the bodies once the message is deleted. */
export const ERASED = `,"erased":true`;

/** Which bodies an event carries, and whether the message itself holds them for good. */
export const BODIES: Record<EventKind, "task" | "result" | "own" | "none"> = {
  new: "task",
  claimed: "own",
  progress: "own",
  completed: "result",
  failed: "own",
  released: "own",
  requeued: "own",
  ready: "none",
  cancelled: "own",
  deleted: "none",
  late: "own",
  delivered: "none",
  seen: "none",
  acknowledged: "own",
};

/** The bodies of a fresh event. */
export function bodiesOf(draft: EventDraft, s: MessageState): string {
  switch (BODIES[draft.kind]) {
    case "task":
      return bodies("task", s.task, s.context);
    case "result":
      return bodies("result", s.result, s.error);
    case "own":
      return ownBodies(draft, s);
    case "none":
      return "";
  }
}

/**
 * The bodies of a replayed event.
 *
 * @param held what the message holds of them now; undefined: it is deleted.
 * @param own what the event has of its own.
 */
export function replayedBodies(
  kind: EventKind,
  held: readonly [first: string | null, second: string | null] | undefined,
  own: string | null,
): string {
  if (!held) return kind === "deleted" ? "" : ERASED;
  const kept = BODIES[kind];
  if (kept === "own") return own ?? "";
  return kept === "none" ? "" : bodies(kept, ...held);
}

function ownBodies({ kind, late, error }: EventDraft, s: MessageState): string {
  if (kind === "progress") return progressField(s);
  if (late) return `,"late_attempt":${late.attempt}${bodies("result", late.result, late.error)}`;
  return bodies("result", s.result, error ?? s.error);
}

type Change = (s: MessageState, moment: EventMoment) => string;

const nothing: Change = () => "";
const triesLeft = (s: MessageState) => (s.type === "task" ? `,"tries_left":${s.tries_left}` : "");
const claimedBy = (s: MessageState) => (s.claimed_by === null ? "" : `,"claimed_by":${quoted(s.claimed_by)}`);
const waitsAgain: Change = (s) => triesLeft(s) + time("not_before", s.not_before);
/** Readers of a waiting message know nothing of an earlier claim, so the end of one that was waiting repeats it. */
const ended: Change = (s, { waited }) =>
  triesLeft(s) + claimedBy(s) + (waited ? time("claimed_at", s.claimed_at) + time("delivered_at", s.delivered_at) : "");

/** What changed, by kind. What the kind and `at` say already is left out: `fold` in the contract knows it. */
const CHANGES: Record<EventKind, Change> = {
  new: (s) =>
    `,"created_at":"${iso(s.created_at)}"${senderFields(s)}${time("not_before", s.not_before)}${triesLeft(s)}`,
  claimed: (s, { now, graceMs }) => triesLeft(s) + claimedBy(s) + time("lease_until", leaseAt(s, now, graceMs)),
  progress: nothing,
  completed: ended,
  failed: (s, moment) => `${ended(s, moment)},"failure":"${s.failure}"`,
  released: waitsAgain,
  requeued: waitsAgain,
  ready: nothing,
  cancelled: (s, moment) => `${ended(s, moment)},"failure":"cancelled"`,
  deleted: nothing,
  late: nothing,
  delivered: nothing,
  seen: nothing,
  acknowledged: nothing,
};
