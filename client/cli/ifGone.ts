import { isRefusal } from "../sdk/errors.ts";

/** For `catch`: what was deleted meanwhile is undefined. */
export function ifGone(error: unknown): undefined {
  if (!isRefusal(error, "not_found")) throw error;
}
