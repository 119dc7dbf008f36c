/** Bugs to plant in templates and macros. */
import type { Mutation } from "./mutations.ts";

const TEMPLATES = "server/store/engine/templates/templates.ts";
const EXPAND = "server/store/engine/templates/expand.ts";
const COMPILER = "server/store/engine/templates/schemaCompiler.ts";
const PARAMETERS = "server/store/engine/templates/parameters.ts";

export const TEMPLATE_MUTATIONS: readonly Mutation[] = [
  {
    breaks: "a batch compiles whatever is asked, and everybody waits for it",
    file: COMPILER,
    search: "if (this.#charsBefore[length] >= COMPILED_A_BATCH_CHARS) throw tooMuch();",
    replace: "",
  },
  {
    breaks: "what earlier batches have compiled counts for all later ones",
    file: "server/store/engine/engine.ts",
    search: "    this.#templates.beginBatch();\n",
    replace: "",
  },
  {
    breaks: "a macro whose last step is refused has sent the others",
    file: TEMPLATES,
    search: "for (const step of steps) this.#sender.check(step.said);",
    replace: "",
  },
  {
    breaks: "a key stands for a template whatever its parameters",
    file: TEMPLATES,
    search: "const sorted = Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1));",
    replace: "const sorted = Object.keys(params).sort();",
  },
  {
    breaks: "a repeat is judged by the template as it is now",
    file: TEMPLATES,
    search: "const fingerprint = key === undefined ? ",
    replace:
      "expand(said, { templates: this.#ledger.templates, schemas: this.#schemas, check: this.#sender.checkWhole });\n    const fingerprint = key === undefined ? ",
  },
  {
    breaks: "what is said beside a template is lost",
    file: EXPAND,
    search: "return { ...renderFields(Object.fromEntries(left), values), ...beside };",
    replace: "return { ...beside, ...renderFields(fields, values) };",
  },
  {
    breaks: "a macro of any size is sent",
    file: EXPAND,
    search: "if (bytes > LIMITS.macro_bytes) throw tooMuch();",
    replace: "",
  },
  {
    breaks: "unknown parameters are ignored",
    file: PARAMETERS,
    search: "if (strangers.length === 0) return;",
    replace: "if (strangers.length < 99) return;",
  },
  {
    breaks: "steps that wait for each other are accepted",
    file: "server/core/macro.ts",
    search: "if (seen >= 0) throw cycle([...path.slice(seen), step.key]);",
    replace: "if (seen >= 0) return;",
  },
  {
    breaks: "a few bytes of template ask for gigabytes of message",
    file: "server/core/placeholders.ts",
    search: "texts.reduce((sum, { length }) => sum + length, 0) > chars",
    replace: "texts.some(({ length }) => length > chars * 1e9)",
  },
  {
    breaks: "an escaped placeholder is filled",
    file: "server/core/placeholders.ts",
    search: "const isEscaped = slashes % 2 === 1;",
    replace: "const isEscaped = slashes % 2 === 2;",
  },
];
