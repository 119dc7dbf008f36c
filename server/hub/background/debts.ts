/**
 * Debts: what the hub itself has to tell the store, of which no caller hears: whose leases go on, who received what, what
 * a caller who left gives back. One that the store cannot take at the moment is told again, as things stand then, until
 * it is written or refused for good.
 */
import type { Clock } from "../../clock.ts";
import type { Report } from "../../report.ts";
import { type Done, mayPass } from "../../store/groupCommit.ts";

/** How soon the store is told again what it could not take, ms. */
const AGAIN_MS = 1_000;

export interface Debt {
  /** In a word, for the log. */
  what: string;
  /** Debts of one key are one: the latest is told again, with the ids of all. */
  key: unknown;
  /** The messages it is about, where these add up. */
  ids?: readonly string[];
  /** Tells the store, as things stand now. */
  tell: (ids: readonly string[]) => Promise<Done>;
}

export interface DebtsOptions {
  clock: Clock;
  /** Whether the hub closes: nothing is told again then. */
  closes: () => boolean;
  /** Told of what was refused for good. */
  report: Report;
}

export class Debts {
  readonly #options: DebtsOptions;
  /** What the store could not take, by key. */
  readonly #unpaid = new Map<unknown, Debt>();

  constructor(options: DebtsOptions) {
    this.#options = options;
  }

  async owe(debt: Debt): Promise<void> {
    const { what, key, ids = [], tell } = debt;
    if (await this.settles(what, tell(ids))) return;
    if (this.#unpaid.size === 0) this.#options.clock.after(AGAIN_MS, () => this.tellAgain());
    const earlier = this.#unpaid.get(key)?.ids ?? [];
    this.#unpaid.set(key, { ...debt, ids: [...new Set([...earlier, ...ids])] });
  }

  /** Has the store told now what it could not take before. */
  tellAgain(): void {
    const unpaid = [...this.#unpaid.values()];
    this.#unpaid.clear();
    for (const debt of unpaid) void this.owe(debt);
  }

  /** @returns false when the store could not take it at the moment, so that it has to be told again. */
  async settles(what: string, told: Promise<Done>): Promise<boolean> {
    try {
      await told;
    } catch (error) {
      if (this.#options.closes()) return true;
      if (mayPass(error)) return false;
      this.#options.report.failed(what, error);
    }
    return true;
  }
}
