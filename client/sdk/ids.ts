import { v7 as uuid } from "uuid";

const BYTES = 16;

/** Random bytes for many ids at once: asking the system for each would cost more than everything else about a call. */
const pool = new Uint8Array(256 * BYTES);
let used = pool.length;

function randomBytes(): Uint8Array {
  if (used === pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  used += BYTES;
  return pool.subarray(used - BYTES, used);
}

/** A random key that sorts by the time it was made. */
export const newKey = (): string => uuid({ random: randomBytes() });

/** A random id of a run. */
export const newRun = (): string => newKey().replaceAll("-", "");
