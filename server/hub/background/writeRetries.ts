/**
 * The hub's own writes, which answer no request: whose leases continue, who received what, what a departed caller gives
 * back. One that the store cannot take at the moment is tried again, as things stand then, until it is written or
 * refused for good.
 */
import { isRefusal } from "../../../shared/errors.ts";
import type { Clock } from "../../clock.ts";
import type { Report } from "../../report.ts";
import { mayPass } from "../../store/groupCommit.ts";
import type { Done } from "../../store/outcomes.ts";

const RETRY_MS = 1_000;

/** Whether the write is moot: somebody else has already done it, or made it impossible. */
const isOvertaken = (error: unknown) => isRefusal(error, "not_found", "wrong_status", "lease_lost");

interface HubWrite {
  /** In a word, for the log. */
  what: string;
  /** Writes of one key are one: the latest is tried again, with the ids of all. */
  key: unknown;
  /** The messages it is about, if these add up. */
  ids?: readonly string[];
  /** Submits it, as things stand now. */
  submit: (ids: readonly string[]) => Promise<Done>;
}

interface WriteRetriesOptions {
  clock: Clock;
  /** Whether the hub closes: nothing is tried again then. */
  closes: () => boolean;
  /** Told of what was refused for good. */
  report: Report;
}

export class WriteRetries {
  readonly #options: WriteRetriesOptions;
  /** What the store could not take, by key. */
  readonly #pending = new Map<unknown, HubWrite>();

  constructor(options: WriteRetriesOptions) {
    this.#options = options;
  }

  /** Writes it, now or as soon as the store can take it. */
  async write(write: HubWrite): Promise<void> {
    const { what, key, ids = [], submit } = write;
    if (await this.attempt(what, submit(ids))) return;
    if (this.#pending.size === 0) this.#options.clock.after(RETRY_MS, () => this.retryNow());
    const earlier = this.#pending.get(key)?.ids ?? [];
    this.#pending.set(key, { ...write, ids: [...new Set([...earlier, ...ids])] });
  }

  retryNow(): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const write of pending) void this.write(write);
  }

  /** @returns false when the store could not take it at the moment, so that it has to be tried again. */
  async attempt(what: string, submitted: Promise<Done>): Promise<boolean> {
    try {
      await submitted;
    } catch (error) {
      if (this.#options.closes()) return true;
      if (mayPass(error)) return false;
      if (!isOvertaken(error)) this.#options.report.failed(what, error);
    }
    return true;
  }
}
