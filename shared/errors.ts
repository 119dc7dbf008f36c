/**
 * The closed catalogue of errors: one row per code, with what it means on each transport and what a caller
 * should do. A new way to fail needs a new row here.
 */
interface ErrorRow {
  /** HTTP status. */
  http: number;
  /** JSON-RPC error code. */
  rpc: number;
  /** Whether repeating the same request unchanged may succeed later. */
  retryable: boolean;
  /** What the caller should do, as a sentence for a person. */
  action: string;
}

const row = (http: number, rpc: number, retryable: boolean, action: string): ErrorRow => ({
  http,
  rpc,
  retryable,
  action,
});

export const ERRORS = {
  bad_json: row(400, -32700, false, "Send well-formed JSON in UTF-8."),
  too_deep: row(400, -32700, false, "Flatten the value: nesting is bounded."),
  invalid_request: row(400, -32600, false, "Send one JSON-RPC 2.0 request, or an array of them."),
  unknown_operation: row(404, -32601, false, "Use an operation of the table; the nearest name is suggested."),
  method_not_allowed: row(405, -32601, false, "Use the HTTP method of the table for this path."),
  invalid_params: row(400, -32602, false, "Correct the field that the sentence names."),
  too_large: row(413, -32602, false, "Shorten the field, or send a reference instead of the content."),
  hello_required: row(400, -32010, false, "Send `hello` as the first request on a socket."),
  hello_repeated: row(400, -32011, false, "Send `hello` once; open another socket for another identity."),
  not_found: row(404, -32020, false, "Check the id or the name: it may have been deleted."),
  wrong_status: row(409, -32021, false, "Read the message again: its present status does not allow this."),
  lease_lost: row(409, -32022, false, "Stop working on it: another attempt holds the task or has ended it."),
  not_ready: row(409, -32023, true, "Wait for its `ready` event."),
  not_a_task: row(409, -32024, false, "A chat has no claim: update its status, or read it."),
  not_recipient: row(
    409,
    -32027,
    false,
    "Only whoever a message is for can say that it has come, was seen, or is acknowledged.",
  ),
  idempotency_conflict: row(409, -32025, false, "Use a new key for a new message."),
  loop_stopped: row(
    409,
    -32026,
    false,
    "Ask a person whether this exchange should go on: `chain_lift` allows it more hops.",
  ),
  too_many_schedules: row(409, -32070, false, "Delete a schedule that is not needed any more."),
  cursor_lost: row(410, -32030, false, "Read the state again and go on from the cursor in the details."),
  tokens_required: row(403, -32040, false, "Ask from the hub's own machine, or start it with --open."),
  forbidden_host: row(403, -32041, false, "Use a host name that the hub was told to allow."),
  forbidden_origin: row(403, -32042, false, "Open the page from the hub itself."),
  too_many_requests: row(429, -32050, true, "Wait for earlier requests to be answered, then repeat."),
  rate_limited: row(
    429,
    -32051,
    true,
    "Wait for `retry_after_ms` (REST: `Retry-After`), then repeat; work at a slower pace.",
  ),
  recipient_full: row(429, -32052, true, "Send it nothing more until it has worked off some of what waits for it."),
  sender_full: row(429, -32053, true, "Send nothing more until some of what you have sent is taken."),
  storage_full: row(507, -32060, true, "Free disk space on the hub's machine; reads go on meanwhile."),
  storage_unavailable: row(503, -32061, true, "Repeat later; the hub is recovering its database."),
  shutting_down: row(503, -32062, true, "Reconnect: the hub is restarting."),
  internal: row(500, -32603, true, "Repeat once with the same key; report it if it stays."),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

/** Errors that any writing operation may return. */
export const WRITE_ERRORS = ["storage_full", "storage_unavailable"] as const;

/** More about an error, for machines: the field, the present status, the nearest name… */
export type ErrorDetails = Record<string, unknown>;

/** An error as it travels: `message` is a sentence for a person, `code` a word for a machine. */
export interface WireError {
  code: ErrorCode;
  message: string;
  details?: ErrorDetails;
}

/**
 * A failure that the hub reports to whoever asked.
 *
 * @example throw new HubError("not_found", "Message not found", { id });
 */
export class HubError extends Error {
  override readonly name = "HubError";
  /** What happened, for a program: `not_found`, `lease_lost`… The protocol page lists them all. */
  readonly code: ErrorCode;
  /** More about it, by code: the `field` that is wrong, the `id`, `retry_after_ms`… */
  readonly details: ErrorDetails | undefined;

  constructor(code: ErrorCode, message: string, details?: ErrorDetails) {
    super(message);
    this.code = code;
    this.details = details;
  }

  /** Whether the same request, unchanged, may succeed later. */
  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }

  toWire(): WireError {
    return { code: this.code, message: this.message, ...(this.details && { details: this.details }) };
  }

  static fromWire(wire: WireError): HubError {
    return new HubError(wire.code, wire.message, wire.details);
  }
}

/** Whether the hub refused something, by one of these codes. */
export const isRefusal = (error: unknown, ...codes: readonly ErrorCode[]): error is HubError =>
  error instanceof HubError && codes.includes(error.code);

const isErrorCode = (code: unknown): code is ErrorCode => typeof code === "string" && Object.hasOwn(ERRORS, code);

/** The JSON-RPC error object of a wire error: the word travels in `data.code`. */
export const toRpcError = (wire: WireError) => ({
  code: ERRORS[wire.code].rpc,
  message: wire.message,
  data: { code: wire.code, ...(wire.details && { details: wire.details }) },
});

/** The error in a JSON-RPC error object; an unknown code counts as `internal`. */
export function fromRpcError(error: { message: string; data?: unknown }): HubError {
  const data = (error.data ?? {}) as { code?: unknown; details?: ErrorDetails };
  return new HubError(isErrorCode(data.code) ? data.code : "internal", error.message, data.details);
}

/** The REST error body of a wire error. */
export const toRestError = (wire: WireError) => ({
  success: false as const,
  error: wire.message,
  code: wire.code,
  ...(wire.details && { details: wire.details }),
});

/** The error in a REST error body; an unknown code counts as `internal`. */
export const fromRestError = (body: { error: string; code?: unknown; details?: ErrorDetails }) =>
  new HubError(isErrorCode(body.code) ? body.code : "internal", body.error, body.details);
