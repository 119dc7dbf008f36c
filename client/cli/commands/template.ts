import { isObject } from "../../../shared/index.ts";
import type { Params } from "../../sdk/index.ts";
import { templatePage, templateTable } from "../output/template.ts";
import { type Actions, runAction } from "../parsing/actions.ts";
import { command } from "../parsing/command.ts";
import { text } from "../parsing/inputs.ts";
import { UsageError } from "../process/errors.ts";

const ABOUT = `
\`coord send --template NAME --param x=y\` sends one. A definition is
  {"message": {"to_claude": "bob", "task": "look at {{file}}"},
   "parameters": {"type": "object", "properties": {"file": {"type": "string"}}}}
or, of a macro, whose steps are sent together,
  {"steps": [{"key": "a", "template": "look", "params": {"file": "x"}},
             {"key": "b", "template": "look", "params": {"file": "y"}, "after": ["a"]}]}`;

const inputs = {
  action: text("[action]", "list (the default), show, put or delete."),
  name: text("[name]", "The template's name."),
  definition: text("[definition]", "What to put, as JSON; - reads it from stdin."),
};

export const template = command({
  name: "template",
  summary: "Keep messages and macros under names, to be sent with parameters.",
  about: ABOUT,
  inputs,
  examples: [
    ["template", "all there are"],
    ["template show nightly --json", "one of them, as it can be put again"],
    ["template put nightly - < nightly.json", "keep what the file says"],
    ["template delete nightly", "what was sent with it stays"],
  ],
  run: (context, given) => runAction(ACTIONS, inputs, context, given),
});

const ACTIONS: Actions<{ name: string; definition: string }> = {
  list: {
    needs: [],
    run: async (context) => {
      context.print.result(await context.call("template_list", {}), ({ templates }, layout) =>
        templates.length === 0 ? "no templates" : templateTable(templates, layout),
      );
    },
  },
  show: {
    needs: ["name"],
    run: async (context, { name }) => {
      context.print.result(await context.call("template_get", { name }), templatePage);
    },
  },
  put: {
    needs: ["name", "definition"],
    run: async (context, { name, definition }) => {
      const put = await context.call("template_put", { ...parse(await context.text(definition)), name });
      context.print.confirmation(put, (kept) => `${kept.name} is kept`);
    },
  },
  delete: {
    needs: ["name"],
    run: async (context, { name }) => {
      context.print.confirmation(await context.call("template_delete", { name }), (gone) => `${gone.name} is deleted`);
    },
  },
};

/** What `show` prints besides the template itself is left out, so that it can be put again. */
function parse(definition: string): Omit<Params<"template_put">, "name"> {
  let value: unknown;
  try {
    value = JSON.parse(definition);
  } catch (error) {
    throw new UsageError(`the template is not JSON: ${(error as Error).message}`);
  }
  if (!isObject(value)) throw new UsageError("the template must be a JSON object with a message or steps");
  const { name: _name, created_at: _created, updated_at: _updated, updated_by: _by, ...body } = value as TemplateShown;
  return body;
}

type TemplateShown = Partial<Params<"template_put">> & Record<"created_at" | "updated_at" | "updated_by", unknown>;
