/**
 * The bounds that clients meet; `hello` and `GET /api/coord` tell them.
 *
 * The size of a text is that of its JSON encoding in UTF-8 bytes, without the quotes, because that is what
 * travels and what must fit a frame: a control character counts six.
 */
export const LIMITS = {
  task_bytes: 64 * 1024,
  context_bytes: 1024 * 1024,
  result_bytes: 1024 * 1024,
  error_bytes: 16 * 1024,
  name_chars: 128,
  key_chars: 200,
  page_events: 500,
  page_bytes: 1024 * 1024,
  list_messages: 500,
  list_bytes: 2 * 1024 * 1024,
  list_offset: 1_000_000,
  frame_bytes: 4 * 1024 * 1024,
  frame_fragments: 64,
  batch_requests: 1024,
  requests_in_flight: 4096,
  json_depth: 32,
  wait_ms: 55_000,
  attempts: 100,
  after: 100,
  dependents: 1_000,
  receipts: 500,
  instances: 10_000,
  lease_ms: 24 * 3600 * 1000,
  retry_messages: 500,
  schedules: 1000,
  cron_chars: 200,
  duration_ms: 366 * 24 * 3600 * 1000,
  window_events: 4096,
  window_bytes: 4 * 1024 * 1024,
  pending_per_recipient: 1_000_000,
  pending_per_sender: 2_000_000,
  chain_hops: 100,
  chain_lift: 10_000,
  templates: 1000,
  template_chars: 128 * 1024,
  template_description_bytes: 1024,
  template_schema_chars: 16 * 1024,
  template_schema_depth: 8,
  template_schemas: 100,
  template_steps: 50,
  template_values: 1000,
  macro_bytes: 1536 * 1024,
} as const;

export type Limits = { -readonly [K in keyof typeof LIMITS]: number };

/** The limits that the operator of a hub may set. */
export type Bounds = Pick<Limits, "pending_per_recipient" | "pending_per_sender" | "chain_hops">;

/** What surrounds the bodies in the largest event or message: ids, names, times, numbers. A generous bound. */
const ENVELOPE_BYTES = 16 * 1024;

/** The same for a message that has neither result nor error, and no adopted names. */
const SENT_ENVELOPE_BYTES = 4 * 1024;

/**
 * Proves that the largest legal message fits a frame, so that nothing accepted can ever be undeliverable, and that so
 * does the answer to the largest macro, which holds all its messages as they were sent and the last one as it is.
 *
 * @throws Error when the limits contradict each other.
 */
export function assertLimitsAgree(limits: Limits = LIMITS): void {
  const message = limits.task_bytes + limits.context_bytes + limits.result_bytes + limits.error_bytes + ENVELOPE_BYTES;
  const page = Math.max(limits.page_bytes, message) + ENVELOPE_BYTES;
  if (page > limits.frame_bytes) {
    throw new Error(`limits disagree: the largest page takes ${page} bytes, a frame only ${limits.frame_bytes}`);
  }
  const macro = message + limits.macro_bytes + limits.template_steps * SENT_ENVELOPE_BYTES + ENVELOPE_BYTES;
  if (macro > limits.frame_bytes) {
    throw new Error(`limits disagree: the largest macro takes ${macro} bytes, a frame only ${limits.frame_bytes}`);
  }
}

/**
 * The size of a text as limits count it: UTF-8 bytes of its JSON encoding, quotes left out.
 *
 * @example jsonBytes("a\n") === 3
 */
export function jsonBytes(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i++) bytes += unitBytes(text.charCodeAt(i));
  return bytes;
}

function unitBytes(unit: number): number {
  if (unit < 0x80) return ASCII_BYTES[unit] as number;
  if (unit < 0x800) return 2;
  return unit >= 0xd800 && unit <= 0xdfff ? 2 : 3; // half of a surrogate pair's four bytes
}

const ASCII_BYTES = Array.from({ length: 0x80 }, (_, unit) => JSON.stringify(String.fromCharCode(unit)).length - 2);

/** Whether a text fits `limit` JSON-encoded bytes; counts only when it might not. */
export const fits = (text: string, limit: number) => text.length * 6 <= limit || jsonBytes(text) <= limit;
