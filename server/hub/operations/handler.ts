/** What the handlers of the operations have in common: their types, who asks, and how a change is made and answered. */
import type * as z from "zod";
import type { OPERATIONS, OperationName } from "../../../shared/operations/index.ts";
import type { Command } from "../../core/commands.ts";
import type { Caller } from "../../core/message.ts";
import type { Shown } from "../../store/outcomes.ts";
import type { Answer } from "../answer.ts";
import type { Client } from "../caller/client.ts";
import type { Hub } from "../hub.ts";

/** The parameters of an operation, checked against the table. */
export type Checked<N extends OperationName> = z.output<(typeof OPERATIONS)[N]["params"]>;

export type Handler<N extends OperationName> = (hub: Hub, params: Checked<N>, client: Client) => Promise<Answer>;

export type Handlers<N extends OperationName> = { readonly [Name in N]: Handler<Name> };

export type Change = Exclude<Command, { op: "wake" }>;

export const callerOf = (hub: Hub, { claude_id, run, caller }: Client): Caller =>
  caller ?? { claude_id, run, attached: hub.runs.attached(claude_id, run) };

export async function submitChange(hub: Hub, id: string, command: Change, client: Client): Promise<Answer> {
  return answerOf(await hub.submit({ op: "change", id, command, caller: callerOf(hub, client) }));
}

/** What a command produced, as the answer. */
export const answerOf = ({ json }: Shown): Answer => ({ value: json });
