/** Templates for people. */
import type { Template, TemplateSummary } from "../../../shared/index.ts";
import type { Layout } from "./printer.ts";
import { table } from "./table.ts";
import { ago } from "./time.ts";

export function templateTable(templates: readonly TemplateSummary[], layout: Layout): string {
  const rows = templates.map(({ name, kind, description = "", updated_at, updated_by = "-" }) => [
    name,
    kind,
    ago(updated_at, layout.now),
    updated_by,
    description,
  ]);
  return table(["NAME", "KIND", "CHANGED", "BY", "DESCRIPTION"], rows, layout);
}

/** Its content is shown as it is put: as JSON. */
export function templatePage(template: Template, { paint, now }: Layout): string {
  const { name, description, created_at: _, updated_at, updated_by, ...body } = template;
  const by = updated_by === undefined ? "" : ` by ${updated_by}`;
  const head = [
    name,
    ...(description === undefined ? [] : [description]),
    paint.dim(`changed ${ago(updated_at, now)}${by}`),
  ];
  return [...head, "", JSON.stringify(body, null, 2)].join("\n");
}
