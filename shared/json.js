/** The one place where text from a wire becomes a value. */
import { HubError } from "./errors.js";
import { LIMITS } from "./limits.js";
/**
 * Parses JSON that came from outside.
 *
 * @throws HubError `bad_json`, or `too_deep` beyond the nesting limit.
 */
export function parseJson(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new HubError("bad_json", `not JSON: ${error.message}`);
  }
  if (depthExceeds(value, LIMITS.json_depth)) {
    throw new HubError("too_deep", `JSON is nested deeper than ${LIMITS.json_depth} levels`);
  }
  return value;
}
/** Walks level by level, never by recursion: hostile nesting must not exhaust the stack. */
function depthExceeds(value, limit) {
  let level = isContainer(value) ? [value] : [];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > limit) return true;
    const next = [];
    for (const container of level) {
      for (const child of Object.values(container)) if (isContainer(child)) next.push(child);
    }
    level = next;
  }
  return false;
}
const isContainer = (value) => typeof value === "object" && value !== null;
