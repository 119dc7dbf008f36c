/** Where a list goes on: the place of the last message of the list before. */
import { HubError } from "../../shared/errors.ts";
import type { ListFilter } from "./store.ts";

/**
 * The place past which the list begins.
 *
 * @throws HubError `invalid_params` when `next` is not of a list.
 */
export function listStart({ next, order }: ListFilter): number {
  if (next === undefined) return order === "asc" ? 0 : Number.MAX_SAFE_INTEGER;
  if (/^[1-9][0-9]{0,14}$/.test(next)) return Number(next);
  throw new HubError("invalid_params", "next is not the place where a list ended: use one that the hub gave", {
    field: "next",
  });
}
