/**
 * Texts with placeholders: `{{name}}` stands for a parameter, `\{{` for two braces, `\\{{name}}` for a backslash and a
 * parameter. Placeholders are found, never executed; a value that looks like one stays what it is. Everything here
 * takes time in proportion to the text.
 */
import { HubError } from "../../shared/errors.ts";

/** The values of parameters, by their names. */
export type Values = Readonly<Record<string, unknown>>;

type Part = string | { readonly parameter: string };

const PLACEHOLDER = /\{\{[ \t]*([A-Za-z]\w*)[ \t]*\}\}/y;
const ECHO_CHARS = 40;

/** @throws HubError when two braces do not begin a placeholder. */
function partsOf(text: string, field: string): Part[] {
  const parts: Part[] = [];
  let from = 0;
  for (;;) {
    const braces = text.indexOf("{{", from);
    if (braces < 0) break;
    const slashes = backslashesBefore(text, braces, from);
    const isEscaped = slashes % 2 === 1;
    const open = isEscaped ? braces : lastOpening(text, braces);
    const kept = open === braces ? text.slice(from, braces - Math.ceil(slashes / 2)) : text.slice(from, open);
    parts.push(kept);
    if (isEscaped) parts.push("{{");
    else parts.push({ parameter: placeholderAt(text, open, field) });
    from = isEscaped ? braces + 2 : PLACEHOLDER.lastIndex;
  }
  parts.push(text.slice(from));
  return parts;
}

function backslashesBefore(text: string, at: number, from: number): number {
  let first = at;
  while (first > from && text[first - 1] === "\\") first--;
  return at - first;
}

/** Of more than two braces, the last two open the placeholder. */
function lastOpening(text: string, at: number): number {
  let open = at;
  while (text[open + 2] === "{") open++;
  return open;
}

function placeholderAt(text: string, at: number, field: string): string {
  PLACEHOLDER.lastIndex = at;
  const parameter = PLACEHOLDER.exec(text)?.[1];
  if (parameter !== undefined) return parameter;
  const found = text.slice(at, at + ECHO_CHARS).toWellFormed();
  throw new HubError(
    "invalid_params",
    `${field} holds ${JSON.stringify(found)}, which is no placeholder: write \\{{ for two braces`,
    {
      field,
    },
  );
}

/** The parameters that the placeholders of a text name. */
export function placeholdersIn(text: string, field: string): string[] {
  return partsOf(text, field).flatMap((part) => (typeof part === "string" ? [] : [part.parameter]));
}

/** The parameter of a text that is a single placeholder and nothing else. */
export function onlyPlaceholder(text: string, field: string): string | undefined {
  const parts = partsOf(text, field).filter((part) => part !== "");
  const [only] = parts;
  return parts.length === 1 && typeof only === "object" ? only.parameter : undefined;
}

/**
 * Fills the placeholders of a text.
 *
 * @param values one for each placeholder.
 * @param chars how long the outcome may be; checked before it is built.
 * @throws HubError `too_large`.
 * @example render("scrape {{feed}}", { feed: "rss" }, 100, "task") === "scrape rss"
 */
export function render(text: string, values: Values, chars: number, field: string): string {
  const shown = new Map<string, string>();
  const show = (parameter: string): string => {
    const known = shown.get(parameter);
    if (known !== undefined) return known;
    const made = asText(values[parameter]);
    shown.set(parameter, made);
    return made;
  };
  const texts = partsOf(text, field).map((part) => (typeof part === "string" ? part : show(part.parameter)));
  if (texts.reduce((sum, { length }) => sum + length, 0) > chars) {
    throw new HubError("too_large", `${field} is longer than ${chars} bytes once its placeholders are filled`, {
      field,
      limit: chars,
    });
  }
  return texts.join("");
}

/** Texts as they are, everything else as JSON. */
const asText = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""));
