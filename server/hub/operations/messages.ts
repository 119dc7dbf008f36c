/** Messages: sending, reading, marking and removing them. */

import { EVERYONE } from "../../../shared/addressing.ts";
import { LIST_DEFAULT } from "../../../shared/defaults.ts";
import { HubError } from "../../../shared/errors.ts";
import type { MESSAGE_OPERATIONS } from "../../../shared/operations/messages.ts";
import { missingField, noMessage } from "../../../shared/refusals.ts";
import type { WholeMessage } from "../../../shared/sendRule.ts";
import { type NewMessage, newMessage } from "../../core/create.ts";
import type { Sent, SentMacro } from "../../store/outcomes.ts";
import type { TemplateSend } from "../../store/storeCommands.ts";
import { type Answer, listed } from "../answer.ts";
import { type Client, ownReader } from "../caller/client.ts";
import type { Hub } from "../hub.ts";
import { answerOf, callerOf, type Handlers, submitChange } from "./handler.ts";

export const MESSAGES: Handlers<keyof typeof MESSAGE_OPERATIONS> = {
  send(hub, params, client) {
    const { from_claude = client.claude_id, idempotency_key: key, template, params: values, ...fields } = params;
    if (from_claude === null) throw missingField("from_claude");
    return template === undefined
      ? sendMessage(hub, newMessage(from_claude, fields as WholeMessage), key)
      : sendTemplate(hub, { from_claude, template, params: values, ...fields }, key);
  },

  async list(hub, { limit = LIST_DEFAULT, offset = 0, order = "asc", ...filter }, { gone }) {
    const asked = { ...filter, limit, offset, order };
    const { messages, next, seq } = await hub.store.list(asked, hub.clock.now(), () => !gone?.cancelled);
    return {
      parts: {
        ...listed("messages", messages, next),
        count: `${messages.length}`,
        cursor: `"${hub.cursorAt(seq)}"`,
      },
    };
  },

  async get(hub, { id }) {
    const message = await hub.store.get(id, hub.clock.now());
    if (message === null) throw noMessage(id);
    return { value: message };
  },

  async delete(hub, { id }, client) {
    await hub.submit({ op: "delete", id, caller: callerOf(hub, client) });
    return { parts: { id: JSON.stringify(id), deleted: "true" } };
  },

  async stats(hub) {
    const { pending, in_progress, complete, failed } = await hub.store.counts();
    const total = pending + in_progress + complete + failed;
    return { value: JSON.stringify({ total, pending, in_progress, complete, failed }) };
  },

  async seen(hub, { id }, client) {
    recipientIn(client, "seen");
    return submitChange(hub, id, { op: "seen" }, client);
  },

  async received(hub, { ids }, client) {
    return answerOf(await hub.submit({ op: "delivered", reader: recipientIn(client, "received"), ids }));
  },

  async receipts(hub, { id }) {
    const receipts = await hub.store.receipts(id);
    if (receipts === null) throw noMessage(id);
    return { parts: { id: JSON.stringify(id), receipts } };
  },

  async chain_lift(hub, { chain_id, hops }) {
    return answerOf(await hub.submit({ op: "lift", chain_id, hops }));
  },
};

async function sendMessage(hub: Hub, said: NewMessage, key: string | undefined): Promise<Answer> {
  if (said.to_claude === EVERYONE) hub.flushPresence();
  const sent = hub.submit({ op: "send", said, key });
  if (isForNow(said)) hub.claimWaiters.expect(said.to_claude);
  return sentAnswer(hub, await sent, said.to_claude);
}

/** Whether a waiting worker may take it at once. */
const isForNow = ({ type, after, not_before }: NewMessage) => type !== "chat" && !after && not_before === undefined;

/** Sends what a template says: one message, or those of a macro, of which the last stands for all. */
async function sendTemplate(hub: Hub, said: TemplateSend, key: string | undefined): Promise<Answer> {
  hub.flushPresence();
  const sent = await hub.submit({ op: "template_send", said, key });
  const { to_claude } = JSON.parse(sent.json) as { to_claude: string };
  return sentAnswer(hub, sent, to_claude);
}

/** What was sent, and what its sender can expect of the recipient. */
function sentAnswer(hub: Hub, sent: Sent | SentMacro, to: string): Answer {
  const { json, waiting, oldest, deduplicated } = sent;
  return {
    parts: {
      message: json,
      recipient: JSON.stringify(hub.presence.recipient(to, waiting, oldest)),
      deduplicated: `${deduplicated}`,
      ...("messages" in sent && { messages: sent.messages }),
    },
  };
}

/** The caller as a reader: nobody speaks for a recipient by leaving out who it is. */
function recipientIn(client: Client, mark: "received" | "seen"): string {
  const reader = ownReader(client);
  if (reader !== null) return reader;
  throw new HubError("not_recipient", `Only a recipient that gives its name can have ${mark}`);
}
