/** The log as server-sent events: an event a page, its id the cursor that the page leads to. */
import type { Request, Response } from "express";
import { LIMITS } from "../../../shared/limits.ts";
import type { LogPage } from "../../delivery/page.ts";
import type { Client } from "../../hub/caller/client.ts";
import type { Hub } from "../../hub/hub.ts";
import { readerFor, startOf } from "../../hub/operations/events.ts";
import type { Checked } from "../../hub/operations/handler.ts";
import type { Visits } from "./visits.ts";

/** One page may be on its way: the kernel's taking it is all the acknowledgement there is. */
const WINDOW = { events: 1, bytes: 1 };

export const wantsStream = (request: Request) => (request.get("accept") ?? "").includes("text/event-stream");

/** Where a stream goes on: the browser's own header wins over the parameter of the first request. */
export const resumed = (request: Request, params: Record<string, unknown>): Record<string, unknown> => {
  const last = request.get("last-event-id");
  return last === undefined || last === "" ? params : { ...params, after: last };
};

/** @throws HubError before anything is sent, when the cursor is lost. */
export function streamEvents(
  hub: Hub,
  visits: Visits,
  params: Checked<"events">,
  client: Client,
  response: Response,
): void {
  const cursor = startOf(hub, params.after);
  const reader = readerFor(params, client);
  const leave = visits.stay(client);
  response.writeHead(200, {
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    connection: "close", // the stream is all that this line is for
    "x-accel-buffering": "no",
  });
  const send = (page: LogPage) => {
    const text = `id: ${hub.cursorAt(page.upTo)}\nevent: events\ndata: ${page.json}\n\n`;
    response.write(text, () => hub.delivery.acknowledge(session, page.upTo));
  };
  const pageEvents = params.limit ?? LIMITS.page_events;
  const lost = () => response.end(); // who comes back with this cursor is told
  const session = hub.delivery.open({
    reader,
    kinds: params.kinds,
    cursor,
    window: WINDOW,
    pageEvents,
    receives: false,
    send,
    lost,
  });
  if (session.state === "live" && session.cursor === cursor) hub.delivery.position(session);
  let callOff = () => {};
  const keepAlive = () => {
    hub.delivery.position(session);
    callOff = hub.clock.after(hub.liveness.pingMs, keepAlive);
  };
  callOff = hub.clock.after(hub.liveness.pingMs, keepAlive);
  const end = () => {
    hub.delivery.close(session);
    response.end();
  };
  const stay = hub.closing.onCancel(end);
  response.on("close", () => {
    callOff();
    stay();
    hub.delivery.close(session);
    leave();
  });
}
