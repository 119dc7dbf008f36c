/** What the operations on templates do, and a send by one of them. Parameters arrive checked against the table. */
import type * as z from "zod";
import { HubError } from "../../shared/errors.ts";
import type { OPERATIONS, OperationName } from "../../shared/operations.ts";
import { didYouMean } from "../../shared/suggest.ts";
import type { Caller } from "../core/message.ts";
import type { TemplateSend } from "../store/templates/expand.ts";
import type { Answer } from "./answer.ts";
import type { Hub } from "./hub.ts";

type Checked<N extends OperationName> = z.output<(typeof OPERATIONS)[N]["params"]>;

export async function putTemplate(hub: Hub, params: Checked<"template_put">, caller: Caller): Promise<Answer> {
  const { name, ...body } = params;
  const { message } = await hub.submit({ op: "template_put", caller, name, body });
  return { value: message as string };
}

export async function getTemplate(hub: Hub, { name }: Checked<"template_get">): Promise<Answer> {
  const template = await hub.store.template(name);
  if (template === null) throw await noTemplate(hub, name);
  return { value: template };
}

async function noTemplate(hub: Hub, name: string): Promise<HubError> {
  const known = (await hub.store.templates()).map((one) => one.name);
  return new HubError("not_found", `There is no template ${name}${didYouMean(name, known)}`, { template: name });
}

export async function listTemplates(hub: Hub): Promise<Answer> {
  const templates = await hub.store.templates();
  return { parts: { templates: JSON.stringify(templates), count: `${templates.length}` } };
}

export async function deleteTemplate(hub: Hub, { name }: Checked<"template_delete">, caller: Caller): Promise<Answer> {
  await hub.submit({ op: "template_delete", caller, name });
  return { parts: { name: JSON.stringify(name), deleted: "true" } };
}

/** Sends what a template says: one message, or those of a macro, of which the last stands for all. */
export async function sendTemplate(
  hub: Hub,
  said: TemplateSend,
  key: string | undefined,
  caller: Caller,
): Promise<Answer> {
  hub.keepPresence();
  const outcome = await hub.submit({ op: "send_template", caller, said, key });
  const message = outcome.message as string;
  const { to_claude } = JSON.parse(message) as { to_claude: string };
  const recipient = hub.presence.recipient(to_claude, outcome.waiting ?? 0, outcome.oldest ?? null);
  return {
    parts: {
      message,
      recipient: JSON.stringify(recipient),
      deduplicated: `${outcome.deduplicated ?? false}`,
      ...(outcome.messages !== undefined && { messages: outcome.messages }),
    },
  };
}
