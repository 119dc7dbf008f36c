/** What every HTTP answer of the hub has in common: who may ask, how it ends, how a failure reads. */

import type { ErrorRequestHandler, RequestHandler, Response } from "express";
import { ERRORS, HubError, toRestError } from "../../../shared/errors.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { asHubError } from "../../../shared/refusals.ts";
import type { Hub } from "../../hub/hub.ts";
import type { Report } from "../../report.ts";
import type { Guard } from "../guard.ts";

/** Lets only those in whom the guard lets in. */
export const guarded =
  (guard: Guard): RequestHandler =>
  (request, _response, next) => {
    guard.check(request);
    next();
  };

/** Answers. While the hub closes nobody is kept on the line: a server's `close` waits for its connections. */
export function reply(hub: Hub, response: Response, status: number, body: string): void {
  if (hub.closing.cancelled) response.set("connection", "close");
  response.status(status).type("json").send(body);
}

/** Turns whatever went wrong into the REST error that says so, and reports what is the hub's own failure. */
export function explain(hub: Hub, report: Report): ErrorRequestHandler {
  return (error, _request, response, next) => {
    if (response.headersSent) return next(error);
    const known = toHubError(error);
    if (known.code === "internal") report.failed("answering a request", error);
    if (known.retryable) response.set("retry-after", retryAfter(known));
    reply(hub, response, ERRORS[known.code].http, JSON.stringify(toRestError(known.toWire())));
  };
}

/** In seconds, as HTTP counts. */
function retryAfter({ details }: HubError): string {
  const ms = details?.retry_after_ms;
  return typeof ms === "number" ? `${Math.ceil(ms / 1000)}` : "1";
}

/** What went wrong, in the hub's words. Express and its body parser have errors of their own. */
function toHubError(error: unknown): HubError {
  const { type, status } = error as { type?: string; status?: number };
  if (type === "entity.too.large")
    return new HubError("too_large", `The body is larger than ${LIMITS.frame_bytes} bytes`);
  if (status !== undefined && status >= 400 && status < 500)
    return new HubError("invalid_request", "The request is malformed");
  return asHubError(error);
}
