/**
 * Keeps templates, and sends by them. A send by template is decided as a whole before anything is written; its key is
 * looked up before the template is, so that a repeat is the first send again whatever became of the template.
 */
import { HubError } from "../../../../shared/errors.ts";
import { LIMITS } from "../../../../shared/limits.ts";
import { keyUsed } from "../../../../shared/refusals.ts";
import type { TemplateBody } from "../../../../shared/template.ts";
import { CHAT_WAITS_FOR_NOTHING, type NewMessage } from "../../../core/create.ts";
import { inStep } from "../../../core/macro.ts";
import type { MessageState } from "../../../core/message.ts";
import { parametersIn } from "../../../core/parameterSchema.ts";
import { assertTemplate } from "../../../core/template.ts";
import { tombstoneJson } from "../../json/messageJson.ts";
import { NOTHING, type Nothing, type Sent, type SentMacro, type Shown } from "../../outcomes.ts";
import type { StoreCommandOf, TemplateSend } from "../../storeCommands.ts";
import type { Ledger, SentMessage, SentWith } from "../ledger.ts";
import { type ExpandedStep, expand, stepTemplate, templateOf } from "./expand.ts";
import { assertNames } from "./parameters.ts";
import { SchemaCompiler } from "./schemaCompiler.ts";
import type { CheckWhole } from "./whole.ts";

/** What the engine does for a send by template. */
interface Sender {
  /** @throws HubError when this could not be sent. Writes nothing. */
  check(said: NewMessage): void;
  /** Writes a message that was checked. */
  send(said: NewMessage): MessageState;
  json(state: MessageState): string;
  /** How many messages wait for an instance, and since when. */
  queueOf(recipient: string): { waiting: number; oldest: string | null };
  fingerprint: (text: string) => string;
  checkWhole: CheckWhole;
}

export class Templates {
  readonly #ledger: Ledger;
  readonly #sender: Sender;
  readonly #schemas = new SchemaCompiler();

  constructor(ledger: Ledger, sender: Sender) {
    this.#ledger = ledger;
    this.#sender = sender;
  }

  beginBatch(): void {
    this.#schemas.beginBatch();
  }

  put({ name, body, caller }: StoreCommandOf<"template_put">, at: string): Shown {
    const { templates } = this.#ledger;
    this.#schemas.beginCommand();
    assertTemplate(body);
    if (body.parameters) this.#schemas.compile(body.parameters);
    for (const step of body.steps ?? []) inStep(step.key, () => this.#assertStep(step));
    if (templates.get(name) === undefined && templates.count() >= LIMITS.templates) throw tooMany();
    templates.put(name, body, { at, by: caller.claude_id });
    return { ok: true, json: JSON.stringify(templates.get(name)) };
  }

  remove({ name }: StoreCommandOf<"template_delete">): Nothing {
    const { templates } = this.#ledger;
    templateOf(name, templates);
    templates.remove(name);
    return NOTHING;
  }

  send({ said, key }: StoreCommandOf<"template_send">, now: number): Sent | SentMacro {
    const fingerprint = key === undefined ? "" : this.#sender.fingerprint(asSaid(said));
    const before = key === undefined ? undefined : this.#ledger.recall(said.from_claude, key);
    if (key !== undefined && before) {
      if (before.fingerprint !== fingerprint) throw keyUsed(before.id);
      return this.#again(
        said.from_claude,
        this.#ledger.templates.sentWith(said.from_claude, key) as SentWith,
        before.created_at,
      );
    }
    const { templates } = this.#ledger;
    this.#schemas.beginCommand();
    const { steps, keys } = expand(said, { templates, schemas: this.#schemas, check: this.#sender.checkWhole });
    for (const step of steps) this.#sender.check(step.said);
    const isMacro = keys !== undefined;
    const sent = this.#sendAll(steps);
    const states = (keys ?? [...sent.keys()]).map((step) => sent.get(step) as MessageState);
    if (key !== undefined) this.#remember(said.from_claude, key, fingerprint, { states, isMacro }, now);
    const jsons = states.map((state) => this.#sender.json(state));
    return this.#answer(last(jsons), last(states).to_claude, false, isMacro ? jsons : undefined);
  }

  #sendAll(steps: readonly ExpandedStep[]): Map<string, MessageState> {
    const sent = new Map<string, MessageState>();
    for (const { key, said, after } of steps) {
      const ids = after.map((other) => (sent.get(other) as MessageState).id);
      sent.set(key, this.#sender.send(waitingFor(said, ids)));
    }
    return sent;
  }

  #remember(
    sender: string,
    key: string,
    fingerprint: string,
    { states, isMacro }: { states: readonly MessageState[]; isMacro: boolean },
    now: number,
  ): void {
    this.#ledger.remember(sender, key, { id: last(states).id, fingerprint, created_at: now });
    const messages = states.map(({ id, to_claude: to, type }) => ({ id, to, type }));
    this.#ledger.templates.rememberSent(sender, key, { messages, isMacro });
  }

  #again(from_claude: string, { messages, isMacro }: SentWith, createdAt: number): Sent | SentMacro {
    const tell = ({ id, to, type }: SentMessage, show = (state: MessageState) => state) => {
      const state = this.#ledger.message(id);
      return state
        ? this.#sender.json(show(state))
        : tombstoneJson({ id, from_claude, to_claude: to }, type, createdAt);
    };
    const all = isMacro ? messages.map((message) => tell(message, withoutResult)) : undefined;
    return this.#answer(tell(last(messages)), last(messages).to, true, all);
  }

  /** @param all of a macro: its messages, of which one stands for all. */
  #answer(json: string, to: string, deduplicated: boolean, all: readonly string[] | undefined): Sent | SentMacro {
    const sent: Sent = { ok: true, json, deduplicated, ...this.#sender.queueOf(to) };
    return all ? { ...sent, messages: `[${all.join(",")}]` } : sent;
  }

  /** A step names a template with a message, and parameters that it has; only a task waits for others. */
  #assertStep(step: NonNullable<TemplateBody["steps"]>[number]): void {
    const { parameters, message } = stepTemplate(step, this.#ledger.templates);
    const { type, not_before, after = [] } = { ...message, ...step };
    const waits = after.length > 0 || not_before !== undefined;
    if (waits && type === "chat") throw new HubError("invalid_params", CHAT_WAITS_FOR_NOTHING, { field: "steps" });
    assertNames(Object.keys(step.params ?? {}), parametersIn(parameters));
  }
}

/** Many messages together could be too long for one answer. */
const withoutResult = (state: MessageState): MessageState => ({ ...state, result: null, error: null });

/** The message, not to be claimed before these tasks are complete, besides those it waits for anyway. */
function waitingFor(said: NewMessage, ids: readonly string[]): NewMessage {
  return ids.length === 0 ? said : { ...said, after: [...new Set([...(said.after ?? []), ...ids])] };
}

/** What was said, before any template was looked at; parameters in the order of their names. */
function asSaid({ params = {}, ...said }: TemplateSend): string {
  const sorted = Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify({ ...said, params: sorted });
}

const last = <T>(all: readonly T[]): T => all.at(-1) as T;

const tooMany = () =>
  new HubError("too_large", `There are ${LIMITS.templates} templates already: delete one first`, {
    limit: LIMITS.templates,
  });
