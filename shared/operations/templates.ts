/** The operations on templates: rows of the operations table. */
import * as z from "zod";
import { WRITE_ERRORS } from "../errors.ts";
import * as f from "../fields.ts";
import { template, templateBody, templateSummary } from "../template.ts";
import type { Operation } from "./operation.ts";

const name = { name: f.title.describe("The template's name.") };

export const TEMPLATE_OPERATIONS = {
  template_put: {
    summary: "Keep a template, or a macro of several, under a name; what the name stood for before is replaced.",
    params: z.strictObject({ ...name, ...templateBody }),
    result: template,
    rest: { method: "PUT", paths: ["/template/:name"], shape: "data" },
    repeat: "same",
    errors: ["not_found", "too_large", ...WRITE_ERRORS],
  },
  template_get: {
    summary: "Read one template.",
    params: z.strictObject(name),
    result: template,
    rest: { method: "GET", paths: ["/template/:name"], shape: "data" },
    repeat: "read",
    errors: ["not_found"],
  },
  template_list: {
    summary: "List all templates by name.",
    params: z.strictObject({}),
    result: z.object({ templates: z.array(templateSummary), count: f.count }).meta({ id: "TemplateList" }),
    rest: { method: "GET", paths: ["/templates"], shape: "data" },
    repeat: "read",
    errors: [],
  },
  template_delete: {
    summary: "Delete a template; what was sent with it stays.",
    params: z.strictObject(name),
    result: z.object({ name: z.string(), deleted: z.literal(true) }).meta({ id: "TemplateDeleted" }),
    rest: { method: "DELETE", paths: ["/template/:name"], shape: "data" },
    repeat: "same",
    errors: ["not_found", ...WRITE_ERRORS],
  },
} as const satisfies Record<string, Operation>;
