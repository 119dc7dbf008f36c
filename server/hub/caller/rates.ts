/**
 * How much one instance may ask for in a window of time: a number of changes, and one of reads. An instance is known by
 * its name; whoever gives none, by its address.
 *
 * Uses are counted here and reported to the limiter in bundles, so that most requests cost one look into a map. What is
 * refused is refused at once; the limiter's verdict on a bundle comes at the end of the turn, so that an instance may
 * overdraw its window by what it sent in one turn, which is one frame.
 */
import QuickLRU from "quick-lru";
import { RateLimiterMemory, type RateLimiterRes } from "rate-limiter-flexible";
import { HubError } from "../../../shared/errors.ts";
import { OPERATIONS, type OperationName } from "../../../shared/operations/index.ts";
import type { Clock } from "../../clock.ts";
import type { Client } from "./client.ts";

/** Requests of one instance in a window; 0: no limit. */
export interface RatePolicy {
  /** How often an instance may change something within the window. */
  readonly changes: number;
  /** How often it may read within the window. */
  readonly reads: number;
  readonly windowMs: number;
  /** Whether this also applies to instances on the hub's own machine. */
  readonly limitsLocal: boolean;
}

/**
 * The hub's own machine: none, because a loop there is bounded by what may wait and by the length of its chain, and
 * nobody's fast work should be stopped. Others: 1,000 changes a second, over a minute.
 */
export const DEFAULT_RATES: RatePolicy = { changes: 60_000, reads: 240_000, windowMs: 60_000, limitsLocal: false };

export class Rates {
  readonly #limitsLocal: boolean;
  readonly #changes: RateLimit | undefined;
  readonly #reads: RateLimit | undefined;

  constructor(clock: Clock, { changes, reads, windowMs, limitsLocal }: RatePolicy) {
    const limit = (what: string, most: number) => (most > 0 ? new RateLimit(clock, what, most, windowMs) : undefined);
    this.#limitsLocal = limitsLocal;
    this.#changes = limit("changes", changes);
    this.#reads = limit("reads", reads);
  }

  /**
   * Lets a request pass, and counts it.
   *
   * @throws HubError `rate_limited`, with how long to wait.
   */
  admit(operation: OperationName, { claude_id, origin }: Client): void {
    if (origin.isLocal && !this.#limitsLocal) return;
    const limit = OPERATIONS[operation].repeat === "read" ? this.#reads : this.#changes;
    limit?.use(claude_id ?? origin.address);
  }
}

interface Uses {
  /** Not reported to the limiter yet. */
  unreported: number;
  refusedUntil: number;
}

/** A bundle is this part of a window. */
const BUNDLES_A_WINDOW = 100;
/** Instances whose uses are counted; when one is forgotten, less than a bundle goes uncounted. */
const REMEMBERED = 4096;

class RateLimit {
  readonly #clock: Clock;
  readonly #what: string;
  readonly #most: number;
  readonly #windowMs: number;
  readonly #bundle: number;
  readonly #limiter: RateLimiterMemory;
  readonly #uses = new QuickLRU<string, Uses>({ maxSize: REMEMBERED });

  constructor(clock: Clock, what: string, most: number, windowMs: number) {
    this.#clock = clock;
    this.#what = what;
    this.#most = most;
    this.#windowMs = windowMs;
    this.#bundle = Math.ceil(most / BUNDLES_A_WINDOW);
    this.#limiter = new RateLimiterMemory({ points: most, duration: windowMs / 1000 });
  }

  use(key: string): void {
    const uses = this.#usesOf(key);
    if (uses.refusedUntil > 0) this.#refuse(uses);
    if (++uses.unreported >= this.#bundle) this.#report(key, uses);
  }

  /** A refused request is not counted: the refusal ends in time, however often the instance asks meanwhile. */
  #refuse(uses: Uses): void {
    const wait = Math.ceil(uses.refusedUntil - this.#clock.awake());
    if (wait > 0) throw rateLimited(this.#what, this.#most, this.#windowMs, wait);
    uses.refusedUntil = 0;
  }

  #report(key: string, uses: Uses): void {
    const bundle = uses.unreported;
    uses.unreported = 0;
    const verdict = ({ remainingPoints, msBeforeNext }: RateLimiterRes) => {
      if (remainingPoints === 0) uses.refusedUntil = this.#clock.awake() + Math.min(msBeforeNext, this.#windowMs);
    };
    this.#limiter.consume(key, bundle).then(verdict, verdict);
  }

  #usesOf(key: string): Uses {
    const known = this.#uses.get(key);
    if (known) return known;
    const uses = { unreported: 0, refusedUntil: 0 };
    this.#uses.set(key, uses);
    return uses;
  }
}

const rateLimited = (what: string, most: number, windowMs: number, retry_after_ms: number) =>
  new HubError("rate_limited", `No more than ${most} ${what} in ${windowMs / 1000} s: wait ${retry_after_ms} ms`, {
    retry_after_ms,
    limit: most,
    window_ms: windowMs,
  });
