/** The scalar fields of the contract. Text is kept byte for byte or refused, never changed. */
import * as z from "zod";
import { ADDRESS_PATTERN, NAME_PATTERN } from "./addressing.ts";
import { isCursor, NO_CURSOR } from "./cursor.ts";
import { fits, LIMITS } from "./limits.ts";

const LONE_SURROGATE = "holds a lone surrogate, which cannot be stored unchanged";

/** Text that fits `limit` JSON-encoded bytes and has no lone surrogates. */
export const text = (limit: number) =>
  z
    .string()
    .refine((value) => value.isWellFormed(), { error: LONE_SURROGATE })
    .refine((value) => fits(value, limit), {
      error: `is longer than ${limit} bytes of JSON-encoded text`,
      params: { too_large: limit },
    });

const nameOf = (pattern: RegExp, what: string) => z.string().max(LIMITS.name_chars).regex(pattern, { error: what });

const NAME_RULE = `must be 1 to ${LIMITS.name_chars} of the characters A-Z a-z 0-9 _ . : -`;

/** The name of an instance: `windows_frontend`. */
export const name = nameOf(NAME_PATTERN, NAME_RULE);

const STORED_NAME_CHARS = 1024;

/** A name or an address in a message that is there already: the original API took any line of text for one. */
export const storedName = z
  .string()
  .min(1)
  .max(STORED_NAME_CHARS)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, { error: "must hold no control characters and no lone surrogates" });

/** The name of a schedule or a template. It appears in paths, where `.` and `..` would lead elsewhere. */
export const title = nameOf(/^(?!\.{1,2}$)[A-Za-z0-9_.:-]+$/, `${NAME_RULE}, and not only . or ..`);

/** A task queue: an instance's own, by its name, or a role's pool, by `@` and the role. */
export const queue = nameOf(/^@?[A-Za-z0-9_.:-]+$/, `${NAME_RULE}, or @ and a role`);

/** Where a message can go: an instance's name, `@` and a role for a pool, or `*` for everyone (chat only). */
export const address = nameOf(ADDRESS_PATTERN, `${NAME_RULE}, or @ and a role, or * for everyone`);

/** The random id of one life of a client process. */
export const run = nameOf(NAME_PATTERN, NAME_RULE);

/** The id of a message: 32 hex digits, time-ordered. An adopted row of the original API may have another. */
export const id = z
  .string()
  .min(1)
  .max(LIMITS.name_chars)
  .refine((text) => text.isWellFormed(), { error: LONE_SURROGATE });

/** The parameters of an operation on one message. */
export const idParams = { id: id.describe("The message's id.") };

/** A caller's own key, which makes a repeat safe. */
export const key = z
  .string()
  .min(1)
  .max(LIMITS.key_chars)
  .regex(/^[\x21-\x7e]+$/, { error: "must be printable ASCII without spaces" });

export const timestamp = z.iso
  .datetime({ offset: true, error: "must be a time with its zone: 2026-01-31T12:00:00Z" })
  .refine((text) => isWithin(Date.parse(text)), { error: "must lie between 1970 and 9999, by UTC" });

const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
const isWithin = (ms: number) => ms >= 0 && ms <= LAST_MS;
export const cursor = z.string().refine(isCursor, { error: NO_CURSOR });
export const count = z.int().min(0);
export const durationMs = z.int().min(0).max(LIMITS.duration_ms);
export const waitMs = z.int().min(0).max(LIMITS.wait_ms);

const traceparentPattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** W3C trace context, carried unchanged. */
export const traceparent = z.string().regex(traceparentPattern, { error: "must be a W3C traceparent" });
