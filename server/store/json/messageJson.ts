/** Messages as JSON, the document's fields first. Written by hand: this is the hottest text of the hub. */

import { TASK_DEFAULTS } from "../../../shared/defaults.ts";
import type { LeaseState } from "../../../shared/message.ts";
import type { MessageState } from "../../core/message.ts";
import { traceOf } from "../../core/trace.ts";
import { iso } from "../../iso.ts";

/** Text that JSON writes as it is, as most names, ids and bodies are: looking costs a third of asking `JSON.stringify`. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** A text as JSON. */
export const quoted = (value: string) => (PLAIN.test(value) ? `"${value}"` : JSON.stringify(value));

const text = (field: string, value: string | null) => (value === null ? "" : `,"${field}":${quoted(value)}`);
const word = (field: string, value: string | null) => (value === null ? "" : `,"${field}":"${value}"`);
const number = (field: string, value: number | null) => (value === null ? "" : `,"${field}":${value}`);
export const time = (field: string, ms: number | null) => (ms === null ? "" : `,"${field}":"${iso(ms)}"`);

/** Ids and addresses, without the closing brace: how every message and every event's message begins. */
export const addresses = (state: Pick<MessageState, "id" | "from_claude" | "to_claude">) =>
  `{"id":${quoted(state.id)},"from_claude":${quoted(state.from_claude)},"to_claude":${quoted(state.to_claude)}`;

/** The bodies that a message holds for good, as fields. */
export const bodies = (first: "task" | "result", a: string | null, b: string | null) =>
  text(first, a) + text(first === "task" ? "context" : "error", b);

/** What the sender said besides the bodies. */
export const senderFields = (s: MessageState) =>
  word("priority", s.priority) +
  text("thread_id", s.thread_id) +
  text("reply_to", s.reply_to) +
  text("parent_id", s.parent_id) +
  time("expires_at", s.expires_at) +
  number("timeout_ms", s.timeout_ms) +
  (s.max_attempts === TASK_DEFAULTS.max_attempts ? "" : `,"max_attempts":${s.max_attempts}`) +
  (s.backoff_ms === TASK_DEFAULTS.backoff_ms ? "" : `,"backoff_ms":${s.backoff_ms}`) +
  (s.after === null ? "" : `,"after":${JSON.stringify(s.after)}`) +
  word("traceparent", traceOf(s)) +
  (s.chain_id === null ? "" : text("chain_id", s.chain_id) + number("hops", s.hops));

/** How far the holder says it is, as a field. */
export function progressField({ progress }: MessageState): string {
  if (progress === null) return "";
  const { percent, note, at } = progress;
  return `,"progress":{"at":"${iso(at)}"${number("percent", percent)}${text("note", note)}}`;
}

/** Until when the claim is safe: while its run is connected, the hub moves the lease ahead of `now`. */
export const leaseAt = (s: MessageState, now: number, graceMs: number) =>
  isHeld(s) ? (s.lease_until ?? Math.max(now + graceMs, s.extended_until ?? 0)) : null;

type Held = Pick<MessageState, "status" | "type" | "claimed_run" | "lease_until">;

const isHeld = (s: Pick<MessageState, "status" | "type">) => s.status === "in_progress" && s.type === "task";

/** What keeps the claim: its run, which is connected or has left, or without a run nothing but time. */
export function leaseState(s: Held): LeaseState | null {
  if (!isHeld(s)) return null;
  if (s.claimed_run === null) return "detached";
  return s.lease_until === null ? "kept" : "expiring";
}

/**
 * The whole message.
 *
 * @param now the moment of the read, from which a kept lease counts.
 * @param graceMs how far ahead of it a kept lease lies.
 */
export function messageJson(s: MessageState, now: number, graceMs: number): string {
  return (
    addresses(s) +
    bodies("task", s.task, s.context) +
    `,"type":"${s.type}","status":"${s.status}"` +
    bodies("result", s.result, s.error) +
    `,"created_at":"${iso(s.created_at)}","updated_at":"${iso(s.updated_at)}"` +
    senderFields(s) +
    time("not_before", s.not_before) +
    attemptFields(s) +
    holderFields(s, now, graceMs) +
    progressField(s) +
    time("delivered_at", s.delivered_at) +
    time("seen_at", s.seen_at) +
    time("completed_at", s.completed_at) +
    word("failure", s.failure) +
    `,"seq":${s.seq}}`
  );
}

const attemptFields = (s: MessageState) =>
  s.type === "task" ? `,"attempt":${s.attempt},"tries_left":${s.tries_left}` : "";

const holderFields = (s: MessageState, now: number, graceMs: number) =>
  s.status === "pending"
    ? ""
    : text("claimed_by", s.claimed_by) +
      time("claimed_at", s.claimed_at) +
      time("lease_until", leaseAt(s, now, graceMs)) +
      word("lease", leaseState(s));

/** What is left of a deleted message for someone who repeats its send. Its last status is not: the contract says so. */
export const tombstoneJson = (whose: Parameters<typeof addresses>[0], type: string, createdAt: number) =>
  `${addresses(whose)},"task":"","type":"${type}","status":"failed",` +
  `"created_at":"${iso(createdAt)}","updated_at":"${iso(createdAt)}","erased":true}`;
