/** When to come back after a line was lost, in milliseconds. */
export const BACKOFF = {
  base_ms: 500,
  cap_ms: 20_000,
  /** A line that lived this long was a good one: the next loss starts from the base again. */
  min_uptime_ms: 5_000,
  /** 2 to a higher power changes nothing but may overflow. */
  max_exponent: 31,
} as const;

/**
 * Full jitter: anything from zero to the doubled bound, so that many clients that lost their lines at one
 * moment do not come back at one moment.
 */
export class Backoff {
  #failures = 0;
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** How long to wait now; the bound doubles with every call. */
  next(): number {
    const exponent = Math.min(this.#failures++, BACKOFF.max_exponent);
    return this.#random() * Math.min(BACKOFF.cap_ms, BACKOFF.base_ms * 2 ** exponent);
  }

  reset(): void {
    this.#failures = 0;
  }
}
