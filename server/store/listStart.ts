/** The cursor with which a list goes on: the last message of the page before, in the order of the list. */
import { HubError } from "../../shared/errors.ts";
import type { ListFilter } from "./store.ts";

/** Of most lists, the number of the message in order of arrival; of the open chats of a recipient, its id. */
export type ListCursor = number | string;

/**
 * The cursor past which the list begins.
 *
 * @throws HubError `invalid_params` when `next` is not the cursor of such a list.
 */
export function listStart({ next, order, open_for }: ListFilter): ListCursor {
  const { first, last, isCursor, of } = open_for === undefined ? ARRIVALS : OPEN;
  if (next === undefined) return order === "asc" ? first : last;
  if (isCursor.test(next)) return of(next);
  throw new HubError("invalid_params", "next is not the place where a list ended: use one that the hub gave", {
    field: "next",
  });
}

const ARRIVALS = { first: 0, last: Number.MAX_SAFE_INTEGER, isCursor: /^[1-9][0-9]{0,14}$/, of: Number };
const OPEN = { first: "", last: "~", isCursor: /^[0-9a-f]{32}$/, of: String };
