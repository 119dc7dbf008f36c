/** What a row of the operations table says. */
import type * as z from "zod";
import type { ErrorCode } from "../errors.ts";

/**
 * How a result is dressed over REST.
 * - `data`: `{success, data}`; `list`: `{success, count, data, cursor, next}`
 * - `sent`: the message under `data`, next to `recipient` and `deduplicated`; 201, a repeat 200
 * - `deleted`: `{success, message}`; `beat`: `{success, timestamp, claude_id}`
 * - `page`: `{success, data}` as JSON, or server-sent events when asked for
 */
export type RestShape = "data" | "list" | "sent" | "deleted" | "beat" | "page";

/** Which part of a result is under `data`, where that is not all of it. */
export const MAIN_PART = { list: "messages", sent: "message" } as const satisfies Partial<Record<RestShape, string>>;

export interface RestRoute {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below the base path; `:name` is a parameter of the operation. */
  paths: readonly [string, ...string[]];
  shape: RestShape;
}

/**
 * `read` changes nothing; `same` takes effect once, however often it is repeated; `keyed` is safe to repeat with the
 * same key; a repeat of `once` may take effect again, so the caller decides.
 */
export type Repeat = "read" | "same" | "keyed" | "once";

export interface Operation {
  summary: string;
  params: z.ZodObject;
  result: z.ZodType;
  rest: RestRoute;
  repeat: Repeat;
  errors: readonly ErrorCode[];
}

/** Errors that every operation may give. */
export const COMMON_ERRORS = [
  "invalid_params",
  "tokens_required",
  "rate_limited",
  "shutting_down",
  "internal",
] as const;
