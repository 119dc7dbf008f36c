/** A reader below the log's floor: how a store says so, and how that is known. */
import { HubError } from "../../shared/errors.ts";
import { cursorLost } from "../../shared/refusals.ts";

/** What a reader is told whose place in the log is gone. */
export const prunedPast = (floor: number) => cursorLost({ reason: "pruned", floor });

/** The floor that a reader had fallen below, when that is why its read failed. */
export function floorOf(error: unknown): number | undefined {
  const isPruned = error instanceof HubError && error.code === "cursor_lost" && error.details?.reason === "pruned";
  return isPruned ? (error.details?.floor as number) : undefined;
}
