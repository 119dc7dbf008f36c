/** Which fields a `send` needs depends on whether it names a template: its one rule across several fields. */
import * as z from "zod";
import { isObject } from "./json.ts";
import { sendFields } from "./message.ts";

/** A message said in full; also what a rendered template must be. */
export const wholeMessage = z.strictObject(sendFields);
export type WholeMessage = z.output<typeof wholeMessage>;

interface Said {
  template?: string | undefined;
  to_claude?: string | undefined;
  task?: string | undefined;
  params?: unknown;
}

const FIELDS_IN_ORDER = ["from_claude", "to_claude", "task"];

/** Without a template the message is said in full, and there are no parameters. */
export const templateOrWhole = z.core._check<Said>(
  ({ value, issues }) => {
    const { template, to_claude, task, params } = value;
    if (template !== undefined || (to_claude !== undefined && task !== undefined && params === undefined)) return;
    for (const field of ["to_claude", "task"] as const) {
      if (value[field] !== undefined) continue;
      issues.push({ code: "invalid_type", expected: "string", path: [field], input: value[field], continue: true });
    }
    if (value.params !== undefined) {
      issues.push({ code: "custom", path: ["params"], message: "go with a template: say which", input: value.params });
    }
    issues.sort((a, b) => place(a) - place(b));
  },
  { when: ({ value }) => isObject(value) },
);

/** The rank of a problem: they are told in the order of the fields. */
function place({ path = [] }: z.core.$ZodRawIssue): number {
  const at = FIELDS_IN_ORDER.indexOf(String(path[0]));
  return at === -1 ? FIELDS_IN_ORDER.length : at;
}
