/** Templates as they are told, ready for `JSON.stringify`. */
import type { Template, TemplateBody, TemplateSummary } from "../../../shared/template.ts";
import type { Put } from "../engine/ledger.ts";

/** The template as it is told. */
export const toldTemplate = (name: string, body: TemplateBody, created_at: string, { at, by }: Put): Template => ({
  name,
  ...body,
  created_at,
  updated_at: at,
  ...(by !== null && { updated_by: by }),
});

export const kindOf = ({ steps }: TemplateBody): TemplateSummary["kind"] => (steps ? "macro" : "message");
