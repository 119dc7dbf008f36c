import { isRefusal } from "../../../shared/index.ts";

/** For `catch`: gives undefined for what was deleted meanwhile. */
export function ifGone(error: unknown): undefined {
  if (!isRefusal(error, "not_found")) throw error;
}
