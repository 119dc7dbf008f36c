/** Ids of messages: UUIDv7 without dashes, rising even within one millisecond. */
import { randomFillSync } from "node:crypto";
import { v7 } from "uuid";

const ID_BYTES = 16;
const POOL_BYTES = 256 * ID_BYTES;

/** @returns a function that makes the next id at a moment (ms). */
export function makeIds(): (now: number) => string {
  const id = Buffer.alloc(ID_BYTES);
  const pool = new Uint8Array(POOL_BYTES);
  let used = POOL_BYTES;
  const rng = () => {
    if (used === POOL_BYTES) {
      randomFillSync(pool);
      used = 0;
    }
    used += ID_BYTES;
    return pool.subarray(used - ID_BYTES, used);
  };
  let [last, seq] = [0, 0];
  return (now) => {
    // Within a millisecond, and while the clock is behind the last id, the counter rises instead.
    if (now > last) [last, seq] = [now, 0];
    return v7({ msecs: last, seq: seq++, rng }, id).toString("hex");
  };
}
