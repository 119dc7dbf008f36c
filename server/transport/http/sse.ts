/** The log as server-sent events: one event per page, whose id is the cursor that the page leads to. */
import type { Request, Response } from "express";
import { LIMITS } from "../../../shared/limits.ts";
import { every } from "../../clock.ts";
import type { Session } from "../../delivery/session.ts";
import type { Client } from "../../hub/caller/client.ts";
import type { Hub } from "../../hub/hub.ts";
import { ONE_PAGE, readerFor, startOf } from "../../hub/operations/events.ts";
import type { Checked } from "../../hub/operations/handler.ts";
import type { HttpPresence } from "./presence.ts";

export const wantsStream = (request: Request) => (request.get("accept") ?? "").includes("text/event-stream");

/** Where a stream goes on: the browser's own header wins over the parameter of the first request. */
export const resumed = (request: Request, params: Record<string, unknown>): Record<string, unknown> => {
  const last = request.get("last-event-id");
  return last === undefined || last === "" ? params : { ...params, after: last };
};

const HEADERS = {
  "content-type": "text/event-stream",
  "cache-control": "no-store",
  connection: "close", // the stream is all that this line is for
  "x-accel-buffering": "no",
};

type EventsParams = Checked<"events">;

/** @throws HubError before anything is sent, when the cursor is lost. */
export function streamEvents(
  hub: Hub,
  presence: HttpPresence,
  params: EventsParams,
  client: Client,
  response: Response,
): void {
  const { clock, closing, delivery, liveness } = hub;
  const cursor = startOf(hub, params, client);
  const disconnect = presence.stream(client);
  response.writeHead(200, HEADERS);
  const session = openSession(hub, response, cursor, params, client);
  if (session.state === "live" && session.cursor === cursor) delivery.position(session);
  const stopKeepingAlive = every(clock, liveness.pingMs, () => delivery.position(session));
  const stopWatching = closing.onCancel(() => {
    delivery.close(session);
    response.end();
  });
  response.on("close", () => {
    stopKeepingAlive();
    stopWatching();
    delivery.close(session);
    disconnect();
  });
}

function openSession(hub: Hub, response: Response, cursor: number, params: EventsParams, client: Client): Session {
  return hub.delivery.open({
    reader: readerFor(params, client),
    kinds: params.kinds,
    cursor,
    window: ONE_PAGE, // that the kernel has taken it is the only acknowledgement
    pageEvents: params.limit ?? LIMITS.page_events,
    receives: false,
    send({ upTo, json }, session) {
      const text = `id: ${hub.cursorAt(upTo)}\nevent: events\ndata: ${json}\n\n`;
      response.write(text, () => hub.delivery.acknowledge(session, upTo));
    },
    lost: () => response.end(), // whoever comes back with this cursor is told
  });
}
