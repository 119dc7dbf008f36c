/** The REST face, derived from the operations table: one route for every path of every operation. */
import express, { type Request, type RequestHandler, type Response, type Router } from "express";
import { HubError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { OPERATION_NAMES, OPERATIONS, type Operation, type OperationName } from "../../../shared/operations/index.ts";
import { didYouMean } from "../../../shared/suggest.ts";
import { validate } from "../../../shared/validate.ts";
import { Cancellation } from "../../hub/cancellation.ts";
import type { Hub } from "../../hub/hub.ts";
import { perform } from "../../hub/operations/index.ts";
import type { Report } from "../../report.ts";
import type { Guard } from "../guard.ts";
import { clientOf } from "./caller.ts";
import { explain, guarded, reply } from "./edge.ts";
import { inputOf } from "./input.ts";
import { HttpPresence } from "./presence.ts";
import { toRestResponse } from "./restResponse.ts";
import { serializeRequests } from "./serializeRequests.ts";
import { resumed, streamEvents, wantsStream } from "./sse.ts";

export interface RouterOptions {
  hub: Hub;
  guard: Guard;
  report: Report;
}

/** Routes relative to the base path. */
export function makeRouter({ hub, guard, report }: RouterOptions): Router {
  const router = express.Router({ caseSensitive: true, strict: false });
  const presence = new HttpPresence(hub);
  router.use(serializeRequests); // first: to refuse takes time, too
  router.use(guarded(guard));
  router.use(express.raw({ type: () => true, limit: LIMITS.frame_bytes }));
  for (const name of OPERATION_NAMES) addRoutes(router, name, hub, presence);
  router.use(noSuchRoute);
  router.use(explain(hub, report));
  return router;
}

function addRoutes(router: Router, name: OperationName, hub: Hub, presence: HttpPresence): void {
  const operation: Operation = OPERATIONS[name];
  const method = operation.rest.method.toLowerCase() as "get" | "post" | "put" | "delete";
  const handler = name === "events" ? eventsHandler(hub, presence) : operationHandler(name, hub, presence);
  for (const path of operation.rest.paths) router[method](path === "" ? "/" : path, handler);
}

function operationHandler(name: OperationName, hub: Hub, presence: HttpPresence): RequestHandler {
  const operation: Operation = OPERATIONS[name];
  const input = inputOf(operation);
  return async (request, response) => {
    const client = clientOf(request, goneWith(response));
    const params = input(request);
    const leave = name === "claim_next" && params.wait_ms ? presence.claimWait(client) : presence.request(client);
    try {
      const { status, body } = toRestResponse(operation.rest.shape, await perform(hub, name, params, client));
      reply(hub, response, status, body);
    } finally {
      leave();
    }
  };
}

/** The log: a page as JSON, or a stream of them. */
function eventsHandler(hub: Hub, presence: HttpPresence): RequestHandler {
  const input = inputOf(OPERATIONS.events);
  return async (request, response) => {
    const client = clientOf(request, goneWith(response));
    const params = input(request);
    if (wantsStream(request)) {
      hub.rates.admit("events", client);
      const checked = validate(OPERATIONS.events.params, resumed(request, params));
      return streamEvents(hub, presence, checked, client, response);
    }
    const leave = presence.poll(client);
    try {
      const { status, body } = toRestResponse("page", await perform(hub, "events", params, client));
      reply(hub, response, status, body);
    } finally {
      leave();
    }
  };
}

/** Ends when the connection closes before the answer is sent. */
function goneWith(response: Response): Cancellation {
  const gone = new Cancellation();
  response.on("close", () => {
    if (!response.writableFinished) gone.cancel();
  });
  return gone;
}

const PATHS = OPERATION_NAMES.flatMap((name) => [...(OPERATIONS[name] as Operation).rest.paths]);

function noSuchRoute(request: Request, response: Response): never {
  assertFilled(request);
  const known = OPERATION_NAMES.filter((name) =>
    (OPERATIONS[name] as Operation).rest.paths.some((path) => matches(path, request.path)),
  );
  if (known.length > 0) {
    const methods = known.map((name) => OPERATIONS[name].rest.method);
    response.set("allow", methods.join(", "));
    throw new HubError("method_not_allowed", `${request.method} is not possible here: use ${methods.join(" or ")}`, {
      methods,
    });
  }
  throw new HubError("unknown_operation", `No such path: ${request.path}${didYouMean(request.path, PATHS)}`);
}

const PLACE = /:([a-z_]+)/;

/** @throws HubError where a parameter in the path is empty, as an unset shell variable leaves it. */
function assertFilled({ method, path }: Request): void {
  const pattern = OPERATION_NAMES.map((name): Operation["rest"] => OPERATIONS[name].rest)
    .flatMap((rest) => (rest.method === method ? rest.paths : []))
    .find((one) => PLACE.test(one) && one.replace(PLACE, "") === path);
  const field = PLACE.exec(pattern ?? "")?.[1];
  if (field === undefined) return;
  throw new HubError("invalid_params", `The ${field} is missing after the slash: ${method} ${pattern}`, { field });
}

const matches = (pattern: string, path: string) =>
  new RegExp(`^${pattern.replace(/:[a-z_]+/g, "[^/]+")}/?$`).test(path === "/" ? "" : path);
