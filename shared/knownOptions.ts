/** Rejects unknown and invalid options, for JavaScript callers, who have no type checker. */
import { isObject } from "./json.ts";
import { nearest } from "./suggest.ts";

/**
 * @param known an object with every option as a key.
 * @param where the option whose parts these are.
 * @throws TypeError for an unknown option: a typo would silently change what happens.
 * @example assertKnown({ dbb: "x" }, { db: true }) // there is no option dbb (did you mean "db"?)
 */
export function assertKnown(options: object, known: object, where?: string): void {
  const names = Object.keys(known);
  if (!isObject(options)) {
    throw new TypeError(`${where ?? "the options"} must be an object, as { ${names[0]}: … }: ${shown(options)}`);
  }
  const name = Object.keys(options).find((option) => !names.includes(option));
  if (name === undefined) return;
  const near = nearest(name, names);
  const advice = near === undefined ? `: there is ${names.join(", ")}` : ` (did you mean "${near}"?)`;
  throw new TypeError(`there is no option ${name}${where ? ` in ${where}` : ""}${advice}`);
}

/** What an option must be. */
export interface OptionRule {
  /** In words: "a number". */
  readonly what: string;
  readonly allows: (value: unknown) => boolean;
}

/** The rule of every option of a function; for an option with parts, the rules of its parts. */
export type OptionRules<T> = { readonly [K in keyof T]-?: OptionRule | OptionRules<NonNullable<T[K]>> };

const isNumber = (value: unknown, least: number) => typeof value === "number" && value >= least;

export const ANYTHING: OptionRule = { what: "anything", allows: () => true };
export const BOOLEAN: OptionRule = { what: "true or false", allows: (value) => typeof value === "boolean" };
export const NUMBER: OptionRule = { what: "a number, from 0", allows: (value) => isNumber(value, 0) };
export const COUNT: OptionRule = {
  what: "a whole number from 1",
  allows: (value) => Number.isInteger(value) && isNumber(value, 1),
};
export const MILLISECONDS: OptionRule = { what: "a number of milliseconds, from 0", allows: NUMBER.allows };
export const FUNCTION: OptionRule = { what: "a function", allows: (value) => typeof value === "function" };

export const oneOf = (...values: readonly string[]): OptionRule => ({
  what: `one of: ${values.join(", ")}`,
  allows: (value) => values.includes(value as string),
});

/** An object with these methods. */
export const having = (...methods: readonly string[]): OptionRule => ({
  what: `an object with the methods ${methods.join(", ")}`,
  allows: (value) => isObject(value) && methods.every((method) => typeof value[method] === "function"),
});

/**
 * @throws TypeError for an unknown option or one of the wrong type; undefined counts as omitted.
 * @example assertOptions({ wait_ms: "5" }, { wait_ms: MILLISECONDS }) // wait_ms must be a number of milliseconds, from 0: "5"
 */
export function assertOptions<T>(options: T & object, rules: OptionRules<T>, where?: string): void {
  assertKnown(options, rules, where);
  for (const [name, rule] of Object.entries<OptionRule | OptionRules<object>>(rules)) {
    const value = (options as Record<string, unknown>)[name];
    if (value === undefined) continue;
    const path = where ? `${where}.${name}` : name;
    if (!isRule(rule)) assertOptions(value ?? {}, rule, path);
    else if (!rule.allows(value)) throw new TypeError(`${path} must be ${rule.what}: ${shown(value)}`);
  }
}

const isRule = (rule: OptionRule | OptionRules<object>): rule is OptionRule => "allows" in rule;

function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return "an array";
  return isObject(value) ? "an object" : String(value);
}
