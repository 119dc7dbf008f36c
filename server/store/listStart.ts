/** Where a list goes on: the place of the last message of the list before. */
import { HubError } from "../../shared/errors.ts";
import type { ListFilter } from "./store.ts";

/** Of most lists, the number of the message in order of arrival; of the open chats of a recipient, its id. */
export type Place = number | string;

/**
 * The place past which the list begins.
 *
 * @throws HubError `invalid_params` when `next` is not of such a list.
 */
export function listStart({ next, order, open_for }: ListFilter): Place {
  const { first, last, isPlace, of } = open_for === undefined ? ARRIVALS : OPEN;
  if (next === undefined) return order === "asc" ? first : last;
  if (isPlace.test(next)) return of(next);
  throw new HubError("invalid_params", "next is not the place where a list ended: use one that the hub gave", {
    field: "next",
  });
}

const ARRIVALS = { first: 0, last: Number.MAX_SAFE_INTEGER, isPlace: /^[1-9][0-9]{0,14}$/, of: Number };
const OPEN = { first: "", last: "~", isPlace: /^[0-9a-f]{32}$/, of: String };
