/** Which task waits for which, in a table that only has rows for those waiting now. */
import type Database from "better-sqlite3";
import QuickLRU from "quick-lru";
import type { WaitTable } from "../../engine/ledger.ts";

const prepareAll = (db: Database.Database) => ({
  any: db.prepare("SELECT 1 FROM coordination_after WHERE message_id > '' LIMIT 1").pluck(),
  add: db.prepare("INSERT INTO coordination_after (message_id, awaited_id) VALUES (?, ?)"),
  drop: db.prepare("DELETE FROM coordination_after WHERE message_id = ?"),
  count: db.prepare("SELECT count(*) FROM coordination_after WHERE awaited_id = ?").pluck(),
  take: db.prepare("DELETE FROM coordination_after WHERE awaited_id = ? RETURNING message_id").pluck(),
  awaited: db.prepare("SELECT DISTINCT awaited_id FROM coordination_after").pluck(),
});

export class SqliteWaits implements WaitTable {
  readonly #sql: ReturnType<typeof prepareAll>;
  /** Whether there are rows, where that is known. */
  #any: boolean | undefined;
  /** How many wait for each, as far as that was asked since the last one went. */
  readonly #counts = new QuickLRU<string, number>({ maxSize: 10_000 });

  constructor(db: Database.Database) {
    this.#sql = prepareAll(db);
  }

  /** The table may hold something else now. */
  forget(): void {
    this.#any = undefined;
    this.#counts.clear();
  }

  get any(): boolean {
    this.#any ??= this.#sql.any.get() !== undefined;
    return this.#any;
  }

  add(id: string, awaited: readonly string[]): void {
    if (awaited.length > 0) this.#any = true;
    for (const one of awaited) {
      this.#sql.add.run(id, one);
      const count = this.#counts.get(one);
      if (count !== undefined) this.#counts.set(one, count + 1);
    }
  }

  drop(id: string): void {
    this.#sql.drop.run(id);
    this.forget();
  }

  count(awaited: string): number {
    const known = this.#counts.get(awaited);
    if (known !== undefined) return known;
    const count = this.#sql.count.get(awaited) as number;
    this.#counts.set(awaited, count);
    return count;
  }

  take(awaited: string): string[] {
    this.forget();
    return (this.#sql.take.all(awaited) as string[]).sort();
  }

  awaited(): string[] {
    return this.#sql.awaited.all() as string[];
  }
}
