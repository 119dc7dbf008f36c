import { HubError } from "./errors.js";
import { didYouMean } from "./suggest.js";
/**
 * Checks a value against a schema.
 *
 * @returns the value, typed.
 * @throws HubError `invalid_params` or `too_large`; the sentence names the field and says what to do.
 */
export function validate(schema, value) {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw explain(parsed.error.issues[0], schema, value);
}
function explain(issue, schema, value) {
  const field = issue.path.join(".");
  const details = field ? { field } : {};
  if (issue.code === "unrecognized_keys") return unknownField(issue, schema, field);
  if (issue.code === "custom" && issue.params?.too_large !== undefined) {
    return new HubError("too_large", `${field} ${issue.message}`, { ...details, limit: issue.params.too_large });
  }
  return new HubError("invalid_params", sentence(issue, field, valueAt(value, issue.path)), details);
}
function unknownField(issue, schema, parent) {
  const key = issue.keys[0];
  const known = parent === "" && "shape" in schema ? Object.keys(schema.shape) : [];
  const where = parent ? ` in ${parent}` : "";
  return new HubError("invalid_params", `Unknown field: ${key}${where}${didYouMean(key, known)}`, {
    field: key,
    known,
  });
}
function sentence(issue, field, found) {
  if (issue.code === "invalid_value") {
    return `Invalid ${field}. Must be one of: ${issue.values.join(", ")}`;
  }
  if (field === "") return `The parameters must be an object with fields`;
  if (found === undefined) return `Missing field: ${field}`;
  if (issue.code === "invalid_type") return `${field} must be ${article(issue.expected)}`;
  if (issue.code === "too_big") return `${field} must be at most ${issue.maximum}${unit(issue.origin)}`;
  if (issue.code === "too_small") return `${field} must be at least ${issue.minimum}${unit(issue.origin)}`;
  return `${field} ${lowerFirst(issue.message)}`;
}
const unit = (origin) => (origin === "string" ? " characters" : origin === "array" ? " entries" : "");
const article = (expected) => (/^[aeio]/.test(expected) ? `an ${expected}` : `a ${expected}`);
const lowerFirst = (text) => text.charAt(0).toLowerCase() + text.slice(1);
function valueAt(value, path) {
  let at = value;
  for (const step of path) {
    if (typeof at !== "object" || at === null) return undefined;
    at = at[step];
  }
  return at;
}
