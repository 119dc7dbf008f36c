/** Readers below the log's floor: how a store refuses them, and how callers recognise that. */
import { isRefusal } from "../../shared/errors.ts";
import { cursorLost } from "../../shared/refusals.ts";

/** What a reader is told when its place in the log has been pruned. */
export const prunedPast = (floor: number) => cursorLost({ reason: "pruned", floor });

/** The floor that a reader has fallen below, if that is why its read failed. */
export function floorOf(error: unknown): number | undefined {
  const isPruned = isRefusal(error, "cursor_lost") && error.details?.reason === "pruned";
  return isPruned ? (error.details?.floor as number) : undefined;
}
