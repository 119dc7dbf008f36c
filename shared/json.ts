/** The one place where text from a wire becomes a value. */
import { HubError } from "./errors.ts";
import { LIMITS } from "./limits.ts";

/**
 * Parses JSON that came from outside.
 *
 * @throws HubError `bad_json`, or `too_deep` beyond the nesting limit.
 */
export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new HubError("bad_json", `not JSON: ${(error as Error).message}`);
  }
  assertShallow(value);
  return value;
}

/** @throws HubError `too_deep` when a value that was parsed elsewhere is nested beyond the limit. */
export function assertShallow(value: unknown): void {
  if (!depthExceeds(value, LIMITS.json_depth)) return;
  throw new HubError("too_deep", `JSON is nested deeper than ${LIMITS.json_depth} levels`);
}

/** Walks level by level, never by recursion: hostile nesting must not exhaust the stack. */
function depthExceeds(value: unknown, limit: number): boolean {
  let level = isContainer(value) ? [value] : [];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > limit) return true;
    const next: object[] = [];
    for (const container of level) {
      for (const child of Object.values(container)) if (isContainer(child)) next.push(child);
    }
    level = next;
  }
  return false;
}

const isContainer = (value: unknown): value is object => typeof value === "object" && value !== null;

/** Whether a value is a JSON object, and not an array. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
