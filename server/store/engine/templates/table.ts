/** Where templates are kept. Everything here runs inside the batch's transaction, and at once. */
import type { Template, TemplateBody, TemplateSummary } from "../../../../shared/template.ts";

/** Who put a template, and when (ISO 8601). */
export interface Put {
  readonly at: string;
  readonly by: string | null;
}

export interface SentMessage {
  readonly id: string;
  readonly to: string;
  readonly type: string;
}

/** What a key stands for that was given to a send by template: one message, or those of a macro. */
export interface SentWith {
  /** In the order in which they are told, the one that stands for all of them last. */
  readonly messages: readonly SentMessage[];
  readonly isMacro: boolean;
}

export interface TemplateTable {
  get(name: string): Template | undefined;
  names(): string[];
  count(): number;
  /** In the order of their names. */
  list(): TemplateSummary[];
  /** Keeps it in the place of what was under that name. */
  put(name: string, body: TemplateBody, put: Put): void;
  /** @returns whether there was one. */
  remove(name: string): boolean;

  /** Keeps what a key stands for, which the ledger must know already. */
  rememberSent(sender: string, key: string, sent: SentWith): void;
  sentWith(sender: string, key: string): SentWith | undefined;
}

/** The template as it is told. */
export const told = (name: string, body: TemplateBody, created_at: string, { at, by }: Put): Template => ({
  name,
  ...body,
  created_at,
  updated_at: at,
  ...(by !== null && { updated_by: by }),
});

export const kindOf = ({ steps }: TemplateBody): TemplateSummary["kind"] => (steps ? "macro" : "message");
