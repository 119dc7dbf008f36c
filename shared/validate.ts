/** Turns what zod says about a value into one sentence for a person. */
import * as z from "zod";
import { HubError } from "./errors.ts";
import { didYouMean } from "./suggest.ts";

/**
 * Checks a value against a schema.
 *
 * @returns the value, typed.
 * @throws HubError `invalid_params` or `too_large`; the sentence names the field and says what to do.
 */
export function validate<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  const first = issues.find((issue) => issue.code === "unrecognized_keys") ?? issues[0]; // a typo also reads as missing
  throw explain(withoutUnion(narrowest(first as z.core.$ZodIssue, issues)), schema, value);
}

/** Of several bounds that a value exceeds, the tightest. */
function narrowest(first: z.core.$ZodIssue, issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue {
  const field = first.path.join(".");
  return issues
    .filter((issue) => issue.path.join(".") === field)
    .reduce((least, issue) => (isNarrower(issue, least) ? issue : least), first);
}

function isNarrower(a: z.core.$ZodIssue, b: z.core.$ZodIssue): boolean {
  if (a.code === "too_big" && b.code === "too_big") return a.maximum < b.maximum;
  return a.code === "too_small" && b.code === "too_small" && a.minimum > b.minimum;
}

/** For a value that may be one of several types, what is wrong with it as the first of them. */
function withoutUnion(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  const inner = issue.code === "invalid_union" ? issue.errors[0]?.[0] : undefined;
  return inner ? withoutUnion({ ...inner, path: [...issue.path, ...inner.path] }) : issue;
}

function explain(issue: z.core.$ZodIssue, schema: z.ZodType, value: unknown): HubError {
  const field = issue.path.join(".");
  const details = field ? { field } : {};
  if (issue.code === "unrecognized_keys") return unknownField(issue, schema, field);
  if (issue.code === "custom" && issue.params?.too_large !== undefined) {
    return new HubError("too_large", `${field} ${issue.message}`, { ...details, limit: issue.params.too_large });
  }
  return new HubError("invalid_params", sentence(issue, field, valueAt(value, issue.path)), details);
}

/** How much of a caller's text is repeated in an error. */
const ECHO_CHARS = 200;

function unknownField(issue: z.core.$ZodIssueUnrecognizedKeys, schema: z.ZodType, parent: string): HubError {
  const key = (issue.keys[0] as string).slice(0, ECHO_CHARS);
  const known = fieldsAt(schema, issue.path);
  const where = parent ? ` in ${parent}` : "";
  return new HubError("invalid_params", `Unknown field: ${key}${where}${didYouMean(key, known)}`, {
    field: key,
    known,
  });
}

/** The names that fields can have at the end of a path. */
function fieldsAt(schema: unknown, path: readonly PropertyKey[]): string[] {
  if (schema instanceof z.ZodOptional) return fieldsAt(schema.unwrap(), path);
  if (schema instanceof z.ZodArray) return fieldsAt(schema.element, path.slice(1));
  if (!(schema instanceof z.ZodObject)) return [];
  const [step, ...rest] = path;
  return step === undefined ? Object.keys(schema.shape) : fieldsAt(schema.shape[step as string], rest);
}

function sentence(issue: z.core.$ZodIssue, field: string, found: unknown): string {
  if (issue.code === "invalid_value") {
    return `Invalid ${field}. Must be one of: ${issue.values.join(", ")}`;
  }
  if (field === "") return `The parameters must be an object with fields`;
  if (found === undefined) return `Missing field: ${field}`;
  return `${field} ${mustBe(issue, found)}`;
}

/** What a value must be, as the end of a sentence that begins with its name. */
export function mustBe(issue: z.core.$ZodIssue, found: unknown): string {
  if (issue.code === "invalid_type") return `must be ${article(issue.expected)}`;
  if (issue.code === "too_big") return `must be at most ${issue.maximum}${unit(issue.origin)}`;
  if (issue.code === "too_small" && found === "") return "must not be empty";
  if (issue.code === "too_small") return `must be at least ${issue.minimum}${unit(issue.origin)}`;
  return lowerFirst(issue.message);
}

const unit = (origin: string) => (origin === "string" ? " characters" : origin === "array" ? " entries" : "");
const article = (type: string) => (type === "int" ? "an integer" : /^[aeio]/.test(type) ? `an ${type}` : `a ${type}`);
const lowerFirst = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);

function valueAt(value: unknown, path: PropertyKey[]): unknown {
  let at = value;
  for (const step of path) {
    if (typeof at !== "object" || at === null) return undefined;
    at = (at as Record<PropertyKey, unknown>)[step];
  }
  return at;
}
