/**
 * The path of an operation, with those of its parameters that stand in it.
 *
 * Not every text can stand there: `.` and `..` lead to another path however they are encoded, an empty one leaves the
 * path too short, and half a character has no encoding. None of them is sent. What it would name cannot be reached over
 * HTTP, so the answer is given here, as the hub gives it over a socket.
 */
import { type HubError, noChain, noMessage, OPERATIONS, type OperationName, validate } from "../../../shared/index.ts";

type Fields = Record<string, unknown>;

/**
 * @returns the path below the base, and the parameters that do not stand in it.
 * @throws HubError what the hub would answer, where a parameter cannot stand in the path.
 * @example toPath("claim", { id: "a1", claim_key: "k" }) // { path: "/message/a1/claim", rest: { claim_key: "k" } }
 */
export function toPath(operation: OperationName, params: Fields): { path: string; rest: Fields } {
  const rest: Fields = { ...params };
  const pattern = choosePattern(OPERATIONS[operation].rest.paths, params);
  const path = pattern.replace(PARAMETER, (_, name: string) => {
    const value = String(params[name]);
    if (!canStand(value)) throw refusal(operation, pattern, params, name);
    delete rest[name];
    return encodeURIComponent(value);
  });
  return { path, rest };
}

const PARAMETER = /:(\w+)/g;

/** The path with the most parameters of which every one is given and can stand there. */
function choosePattern(patterns: readonly string[], params: Fields): string {
  const fits = (name: string) => params[name] != null && canStand(String(params[name]));
  const fitting = patterns.filter((pattern) =>
    [...pattern.matchAll(PARAMETER)].every(([, name]) => fits(name as string)),
  );
  return fitting.at(-1) ?? (patterns[0] as string);
}

const canStand = (value: string) => !["", ".", ".."].includes(value) && value.isWellFormed();

/** What the hub says of parameters that are wrong, or of what is not there. */
function refusal(operation: OperationName, pattern: string, params: Fields, name: string): HubError {
  try {
    validate(OPERATIONS[operation].params, params);
  } catch (error) {
    return error as HubError;
  }
  const [, thing] = pattern.split("/") as ["", keyof typeof MISSING];
  return MISSING[thing](params[name] as string);
}

/** What a path leads to, and what the hub says where that is not there. */
const MISSING = {
  message: noMessage,
  chain: noChain,
};
