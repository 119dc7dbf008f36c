/** Reading the log without a socket: one page, waiting for it if asked to. The same sessions serve it. */

import { parseCursor } from "../../../shared/cursor.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { cursorLost } from "../../../shared/refusals.ts";
import type { Reader } from "../../core/view.ts";
import { type LogPage, makePage } from "../../delivery/page.ts";
import { broughtTo, Unacknowledged } from "../../delivery/unacknowledged.ts";
import type { LogEntry } from "../../store/store.ts";
import { withResolvers } from "../../withResolvers.ts";
import type { Answer } from "../answer.ts";
import { BoundedWait } from "../boundedWait.ts";
import { type Client, ownReader } from "../caller/client.ts";
import type { Hub } from "../hub.ts";
import { readerStart } from "../readerStart.ts";
import type { Checked } from "./handler.ts";

/** A window for one page at a time. */
export const ONE_PAGE = { events: 1, bytes: 1 };

/** Whose events a caller reads: those it names, its own, or all. */
export const readerFor = (params: Checked<"events">, client: Client): Reader => params.for ?? ownReader(client);

/**
 * Where a reader begins.
 *
 * @throws HubError `cursor_lost` when the log does not go on from its cursor, or shows it something else from there.
 */
export function startOf(hub: Hub, params: Checked<"events">, client: Client): number {
  const { after } = params;
  const { seq, lost } = readerStart(hub, {
    cursor: after === undefined || after === "start" ? undefined : parseCursor(after),
    otherwise: after === "start" ? hub.floor : hub.delivery.head,
    view: hasOneView(params, client) ? { client, reader: ownReader(client) } : undefined,
    believesHead: true, // else it would get no further
  });
  if (lost) throw cursorLost({ reason: lost, cursor: hub.head });
  return seq;
}

/**
 * Whether its view is that of its run: not where the request itself says whose events, where it wants none and only says
 * that its run is there, nor beside a session.
 */
const hasOneView = (params: Checked<"events">, { socketNumber }: Client) =>
  params.for === undefined && params.kinds?.length !== 0 && socketNumber === undefined;

export async function readEvents(hub: Hub, params: Checked<"events">, client: Client): Promise<Answer> {
  const start = startOf(hub, params, client);
  if (params.after === undefined && !params.wait_ms)
    return { value: makePage(hub.delivery.epoch, start, start, []).json };
  const pages = params.receives ? pagesOf(hub, client) : undefined;
  if (params.after !== undefined) pages?.resumed(start);
  const page = await firstPage(hub, readerFor(params, client), start, params, client);
  if (!page) return readEvents(hub, params, client); // the log's beginning has moved: the start is judged anew
  pages?.sent(page);
  return { value: page.json };
}

/** Notes what a run that polls for itself is sent; another caller's reading proves nothing. */
function pagesOf(hub: Hub, client: Client) {
  const { run } = client;
  const own = ownReader(client);
  if (own === null || run === null) return undefined;
  return {
    resumed: (seq: number) => hub.resumed(own, run, seq),
    sent: ({ upTo, entries, bytes }: LogPage) => {
      const page = new Unacknowledged();
      const received = broughtTo(own, entries);
      page.sent({ upTo, events: entries.length, bytes, received });
      hub.runPages.sends(own, run, page);
    },
  };
}

/**
 * The first page with events; when none comes in time, an empty one that leads to the head. A session that has
 * not reached the head is never cut short by time: an empty page must not lead past what was not read.
 *
 * @returns undefined when what comes next was pruned meanwhile.
 */
async function firstPage(hub: Hub, reader: Reader, cursor: number, params: Checked<"events">, { gone }: Client) {
  const { clock, closing, delivery } = hub;
  const { kinds, limit: pageEvents = LIMITS.page_events, wait_ms = 0 } = params;
  const wait = new BoundedWait(clock, wait_ms, closing);
  const isDue = () => wait_ms === 0 || wait.isOver;
  const pageTo = (upTo: number, entries: readonly LogEntry[] = []) => makePage(delivery.epoch, cursor, upTo, entries);
  const { promise, resolve, reject: failed } = withResolvers<LogPage | undefined>();
  const send = ({ upTo, entries }: LogPage) => {
    if (entries.length > 0 || (isDue() && upTo === delivery.head)) resolve(pageTo(upTo, entries));
  };
  const lost = () => resolve(undefined);
  const options = { reader, kinds, cursor, window: ONE_PAGE, pageEvents, receives: false, send, failed, lost };
  const session = delivery.open(options);
  const endAtHead = () => {
    if (session.state === "live") resolve(pageTo(delivery.head));
  };
  if (isDue()) endAtHead();
  wait.onOver(endAtHead);
  const stopWatching = gone?.onCancel(() => resolve(pageTo(cursor)));
  try {
    return await promise;
  } finally {
    stopWatching?.();
    delivery.close(session);
    wait.done();
  }
}
