/** What each operation of the table does. Parameters arrive checked against the table. */
import type * as z from "zod";
import { HubError } from "../../shared/errors.ts";
import { OPERATIONS, type OperationName } from "../../shared/operations.ts";
import { PROTOCOL_VERSION } from "../../shared/protocol.ts";
import type { WholeMessage } from "../../shared/sendRule.ts";
import { validate } from "../../shared/validate.ts";
import type { Command } from "../core/commands.ts";
import type { NewMessage } from "../core/create.ts";
import type { Caller } from "../core/message.ts";
import { EVERYONE } from "../core/receipt.ts";
import { newMessage } from "../core/said.ts";
import type { Done } from "../store/groupCommit.ts";
import { iso } from "../store/messageJson.ts";
import { addressesOf } from "../store/view.ts";
import type { Answer } from "./answer.ts";
import type { Client } from "./client.ts";
import { Deadline } from "./deadline.ts";
import type { Hub } from "./hub.ts";
import { ownReader, readEvents } from "./readEvents.ts";
import { scheduleDelete, scheduleGet, scheduleList, schedulePut } from "./schedules/operations.ts";
import { deleteTemplate, getTemplate, listTemplates, putTemplate, sendTemplate } from "./templates.ts";

type Checked<N extends OperationName> = z.output<(typeof OPERATIONS)[N]["params"]>;
type Handler<N extends OperationName> = (hub: Hub, params: Checked<N>, client: Client) => Promise<Answer>;

/**
 * Performs one operation.
 *
 * @param params as they came; checked here, before anything happens.
 * @throws HubError at once when they are wrong, or the caller asks for too much; the promise rejects with one when the operation is refused.
 */
export function perform(hub: Hub, name: OperationName, params: unknown, client: Client): Promise<Answer> {
  assertOpen(hub);
  hub.rates.admit(name, client);
  const checked = validate(OPERATIONS[name].params, params);
  return (HANDLERS[name] as Handler<OperationName>)(hub, checked as never, client);
}

function assertOpen({ closing }: Hub): void {
  if (closing.cancelled) throw new HubError("shutting_down", "The hub is restarting: reconnect in a moment");
}

const HANDLERS: { [N in OperationName]: Handler<N> } = {
  send,
  list,
  async get(hub, { id }) {
    const { message } = await hub.store.get(id, hub.clock.now());
    if (message === null) throw new HubError("not_found", "Message not found", { id });
    return { value: message };
  },
  update: (hub, params, client) => end(hub, params.id, updateCommand(params), client),
  async delete(hub, { id }, client) {
    await hub.submit({ op: "delete", id, caller: callerOf(hub, client) });
    return { parts: { id: JSON.stringify(id), deleted: "true" } };
  },
  async stats(hub) {
    const { pending, in_progress, complete, failed } = await hub.store.counts();
    const total = pending + in_progress + complete + failed;
    return { value: JSON.stringify({ total, pending, in_progress, complete, failed }) };
  },
  heartbeat,
  claim: (hub, { id, claim_key }, client) => change(hub, id, { op: "claim", claim_key, tasksOnly: true }, client),
  claim_next: claimNext,
  complete: (hub, { id, result, attempt }, client) => end(hub, id, { op: "complete", result, attempt }, client),
  fail: (hub, { id, error, retryable, attempt }, client) =>
    end(hub, id, { op: "fail", error, retryable, attempt }, client),
  release: (hub, { id, attempt }, client) => end(hub, id, { op: "release", attempt }, client),
  extend: (hub, { id, lease_ms, attempt }, client) => change(hub, id, { op: "extend", lease_ms, attempt }, client),
  progress(hub, { id, percent, note, attempt }, client) {
    const key = speaker(id, attempt, client);
    const caller = callerOf(hub, client);
    const command = { op: "progress", percent, note, attempt } as const;
    return hub.progress.say(key, () => hub.submit({ op: "change", id, caller, command })).then(messageOf);
  },
  cancel: (hub, { id, reason }, client) => change(hub, id, { op: "cancel", reason }, client),
  retry: (hub, { id }, client) => change(hub, id, { op: "retry" }, client),
  retry_failed: retryFailed,
  async seen(hub, { id }, client) {
    recipientIn(client, "seen");
    return change(hub, id, { op: "seen" }, client);
  },
  received,
  async attempts(hub, { id }) {
    const attempts = await hub.store.attempts(id);
    if (attempts === null) throw new HubError("not_found", "Message not found", { id });
    return { parts: { id: JSON.stringify(id), attempts } };
  },
  async receipts(hub, { id }) {
    const receipts = await hub.store.receipts(id);
    if (receipts === null) throw new HubError("not_found", "Message not found", { id });
    return { parts: { id: JSON.stringify(id), receipts } };
  },
  async chain_lift(hub, { chain_id, hops }) {
    return messageOf(await hub.submit({ op: "lift", chain_id, hops }));
  },
  presence,
  events: readEvents,
  schedule_put: schedulePut,
  schedule_get: scheduleGet,
  schedule_list: scheduleList,
  schedule_delete: scheduleDelete,
  template_put: (hub, params, client) => putTemplate(hub, params, callerOf(hub, client)),
  template_get: getTemplate,
  template_list: listTemplates,
  template_delete: (hub, params, client) => deleteTemplate(hub, params, callerOf(hub, client)),
  async info(hub) {
    const info = {
      name: "coordination-hub",
      version: hub.version,
      protocol: PROTOCOL_VERSION,
      epoch: hub.delivery.epoch,
      cursor: hub.head,
      time: iso(hub.clock.now()),
      limits: hub.limits,
    };
    return { value: JSON.stringify(info) };
  },
};

async function send(hub: Hub, params: Checked<"send">, client: Client): Promise<Answer> {
  const { from_claude = client.claude_id, idempotency_key: key, template, params: values, ...fields } = params;
  if (from_claude === null) throw missing("from_claude");
  const caller = callerOf(hub, client);
  if (template !== undefined) {
    return sendTemplate(hub, { from_claude, template, params: values, ...fields }, key, caller);
  }
  const said = newMessage(from_claude, fields as WholeMessage);
  if (said.to_claude === EVERYONE) hub.keepPresence();
  const sent = hub.submit({ op: "send", caller, said, key });
  if (isForNow(said)) hub.claimLines.expect(said.to_claude);
  const outcome = await sent;
  const recipient = hub.presence.recipient(said.to_claude, outcome.waiting ?? 0, outcome.oldest ?? null);
  return {
    parts: {
      message: outcome.message as string,
      recipient: JSON.stringify(recipient),
      deduplicated: `${outcome.deduplicated ?? false}`,
    },
  };
}

async function list(hub: Hub, params: Checked<"list">): Promise<Answer> {
  const { limit = 100, offset = 0, order = "asc", ...filter } = params;
  const { messages, next, seq } = await hub.store.list({ ...filter, limit, offset, order }, hub.clock.now());
  return {
    parts: {
      messages: `[${messages.join(",")}]`,
      count: `${messages.length}`,
      cursor: `"${hub.cursorAt(seq)}"`,
      ...(next !== null && { next: `"${next}"` }),
    },
  };
}

async function heartbeat(hub: Hub, params: Checked<"heartbeat">, client: Client): Promise<Answer> {
  const claude_id = params.claude_id ?? client.claude_id;
  if (claude_id === null) throw missing("claude_id");
  const now = hub.clock.now();
  hub.presence.beat(claude_id, params.interval_ms, claude_id === client.claude_id ? client.about : undefined);
  await hub.submit({ op: "lengthen", claude_id, forMs: hub.leasePolicy.detachedMs });
  return { parts: { timestamp: `"${iso(now)}"`, claude_id: JSON.stringify(claude_id) } };
}

async function received(hub: Hub, { ids }: Checked<"received">, client: Client): Promise<Answer> {
  return messageOf(await hub.submit({ op: "delivered", reader: recipientIn(client, "received"), ids }));
}

/** The caller as a reader: nobody speaks for a recipient by leaving out who it is. */
function recipientIn(client: Client, mark: "received" | "seen"): string {
  const reader = ownReader(client);
  if (reader !== null) return reader;
  throw new HubError("not_recipient", `Only a recipient that gives its name can have ${mark}`);
}

/** Whether a worker that waits may take it at once. */
const isForNow = ({ type, after, not_before }: NewMessage) => type !== "chat" && !after && not_before === undefined;

/** Takes the next task; where there is none, waits in line for one. */
async function claimNext(hub: Hub, params: Checked<"claim_next">, client: Client): Promise<Answer> {
  const { wait_ms, claim_key } = params;
  const line = params.for_claude ?? ownReader(client);
  if (line === null) throw missing("for_claude");
  const queues = addressesOf(line);
  const tryOnce = () => hub.submit({ op: "claim_next", caller: callerOf(hub, client), queues, claim_key });
  const found = ({ message }: Done) => message !== null;
  const key = claim_key === undefined ? undefined : `${client.claude_id} ${client.run} ${claim_key}`;
  if (key !== undefined) hub.claimLines.giveUp(key);
  const isLast = key !== undefined && client.run === null ? hub.lastAsked.asks(key) : () => true;
  const claimant = { queues: line, gone: client.gone, tryOnce, found, key };
  const outcome = wait_ms ? await hub.claimLines.claim({ ...claimant, waitMs: wait_ms }) : await tryOnce();
  if (outcome && client.gone?.cancelled) giveBack(hub, outcome, client, isLast);
  return { value: outcome?.message ?? "null" };
}

/** A task claimed for a caller who has hung up goes back untried, unless that caller has asked again, and was given it. */
function giveBack(hub: Hub, { message }: Done, client: Client, isLast: () => boolean): void {
  if (message === null || client.run !== null) return;
  const { id, attempt, claimed_by } = JSON.parse(message) as { id: string; attempt: number; claimed_by: string };
  const caller = callerOf(hub, { ...client, caller: undefined, claude_id: claimed_by });
  hub.owe({ op: "change", id, command: { op: "release", attempt }, caller }, isLast);
}

/** Each is asked for by itself: one that somebody else has brought back meanwhile is left alone. */
async function retryFailed(hub: Hub, params: Checked<"retry_failed">, client: Client): Promise<Answer> {
  const { failure = "attempts_exhausted", limit = 100, ...filter } = params;
  const wanted = { ...filter, failure, type: "task", status: "failed", limit, offset: 0, order: "asc" } as const;
  const { messages } = await hub.store.list(wanted, hub.clock.now());
  const ids = messages.map((message) => (JSON.parse(message) as { id: string }).id);
  const tried = await Promise.allSettled(ids.map((id) => change(hub, id, { op: "retry" }, client)));
  for (const one of tried) if (one.status === "rejected" && !isOvertaken(one.reason)) throw one.reason;
  const retried = ids.filter((_, i) => tried[i]?.status === "fulfilled");
  return { value: JSON.stringify({ count: retried.length, ids: retried }) };
}

const isOvertaken = ({ code }: HubError) => code === "wrong_status" || code === "not_found";

async function presence(hub: Hub, params: Checked<"presence">, client: Client): Promise<Answer> {
  const { claude_id, since, wait_ms = 0, next } = params;
  if (claude_id !== undefined && !hub.presence.knows(claude_id)) {
    throw new HubError("not_found", `No instance of the name ${claude_id} was ever here`, { claude_id });
  }
  if (since !== undefined && wait_ms > 0) await nextVersion(hub, since, wait_ms, client);
  assertOpen(hub);
  const version = hub.presence.version;
  const slice = claude_id === undefined ? await hub.presence.page(next) : await hub.presence.one(claude_id);
  const more = slice.next === null ? "" : `,"next":${JSON.stringify(slice.next)}`;
  return { value: `{"version":${version},"instances":[${slice.instances.join(",")}]${more}}` };
}

async function nextVersion(hub: Hub, since: number, waitMs: number, client: Client): Promise<void> {
  if (hub.presence.version > since) return;
  const wait = new Deadline(hub.clock, waitMs, client.gone, hub.closing);
  const { changed, cancel } = hub.presence.nextVersion();
  wait.onOver(cancel);
  await changed;
  wait.done();
}

type Change = Exclude<Command, { op: "wake" }>;

function change(hub: Hub, id: string, command: Change, client: Client): Promise<Answer> {
  return hub.submit({ op: "change", id, command, caller: callerOf(hub, client) }).then(messageOf);
}

/** What the caller has said of its progress comes before the end. */
function end(
  hub: Hub,
  id: string,
  command: Change & { attempt?: number | undefined },
  client: Client,
): Promise<Answer> {
  hub.progress.hasten(() => speaker(id, command.attempt, client));
  return change(hub, id, command, client);
}

/** Whose word on which attempt. */
const speaker = (id: string, attempt: number | undefined, { claude_id, run }: Client) =>
  `${id} ${attempt} ${claude_id} ${run}`;

const messageOf = ({ message }: Done): Answer => ({ value: message as string });

/** The document's one way to move a message. @throws HubError rather than leave out what was said. */
function updateCommand({ status, result, error, attempt }: Checked<"update">): Change {
  const unsaid = result !== undefined ? "result" : error !== undefined ? "error" : undefined;
  if (unsaid && (status === "in_progress" || status === "pending")) {
    const sentence = `${unsaid} goes with the status complete or failed, not with ${status}`;
    throw new HubError("invalid_params", sentence, { field: unsaid });
  }
  switch (status) {
    case "in_progress":
      return { op: "claim" };
    case "complete":
      return { op: "complete", result, error, attempt };
    case "failed":
      return { op: "fail", result, error, attempt };
    case "pending":
      return { op: "release", attempt };
  }
}

const callerOf = (hub: Hub, { claude_id, run, caller }: Client): Caller =>
  caller ?? { claude_id, run, attached: hub.runs.attached(claude_id, run) };

const missing = (field: string) => new HubError("invalid_params", `Missing field: ${field}`, { field });
