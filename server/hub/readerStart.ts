/** Where a reader of the log begins, over whatever transport it comes. */
import type { Cursor } from "../../shared/cursor.ts";
import type { LostReason } from "../../shared/event.ts";
import type { Reader } from "../core/view.ts";
import type { Client } from "./caller/client.ts";
import type { Hub } from "./hub.ts";

interface ReaderRequest {
  /** The cursor to go on from, if it has one. */
  readonly cursor: Cursor | undefined;
  /** Where it begins otherwise. */
  readonly otherwise: number;
  /** Whose view it has, where that is the view of its run. */
  readonly view: { readonly client: Pick<Client, "claude_id" | "run">; readonly reader: Reader } | undefined;
  /** Whether a cursor at the head proves that the run was told of its new view: it may as well come from the old one. */
  readonly believesHead: boolean;
}

interface ReaderStart {
  readonly seq: number;
  /** Why that is not its cursor. */
  readonly lost?: LostReason;
}

/** At its cursor, where the log goes on from there and shows it the same as before. */
export function readerStart(hub: Hub, { cursor, otherwise, view, believesHead }: ReaderRequest): ReaderStart {
  const lost = cursor && hub.lost(cursor);
  const seq = lost ? undefined : cursor?.seq;
  const isBelieved = believesHead || (seq !== undefined && seq < hub.delivery.head);
  const from = isBelieved ? otherwise : otherwise + 1;
  const isOther = view !== undefined && hub.runViews.changed(view.client, view.reader, seq, from);
  const reason = lost ?? (isOther ? "filter_changed" : undefined);
  return reason ? { seq: otherwise, lost: reason } : { seq: seq ?? otherwise };
}
