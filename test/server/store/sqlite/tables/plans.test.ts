/**
 * How SQLite goes about every statement that the store prepares. None may pass over a table, or sort what it found,
 * where history grows: only over what waits or is held now may it.
 */
import type Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDatabase } from "../../../../../server/store/sqlite/file/database.ts";
import { ListConnection, MessageList } from "../../../../../server/store/sqlite/tables/list.ts";
import { ListReader } from "../../../../../server/store/sqlite/tables/listReader.ts";
import { SqliteLedger } from "../../../../../server/store/sqlite/tables/sqliteLedger.ts";
import { SqliteReads } from "../../../../../server/store/sqlite/tables/sqliteReads.ts";
import { tallyOver } from "../../../../../server/store/sqlite/tables/tally.ts";
import type { ListFilter } from "../../../../../server/store/store.ts";
import { NOW, run } from "../../../core/support.ts";
import { sending } from "../../driver.ts";
import { inside, newFile, openStore } from "../files.ts";

/** What stays small, whatever happens: the hub's own tables, indexes that hold only what is alive, one message's receipts. */
const SMALL =
  /coordination_(instances|meta|after|schedules|templates|messages_pending|messages_held|receipts USING PRIMARY KEY)\b/;

let db: Database.Database;

beforeAll(() => {
  db = openDatabase(newFile(), NOW);
});

afterAll(() => void db.close());

/** What a part of the store prepares on its connection. */
function preparedBy(make: (spied: Database.Database) => unknown, on = db): string[] {
  const statements: string[] = [];
  const spied = new Proxy(on, {
    get(target, property) {
      if (property === "prepare") {
        return (sql: string) => {
          statements.push(sql.replace(/\s+/g, " ").trim());
          return target.prepare(sql);
        };
      }
      const value = Reflect.get(target, property);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  make(spied);
  return statements;
}

function planOf(sql: string, on = db): string[] {
  const names = Object.fromEntries([...sql.matchAll(/:(\w+)/g)].map(([, name]) => [name as string, null]));
  const places = (sql.match(/\?/g) ?? []).map(() => null);
  const rows = on.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...(places.length > 0 ? places : [names])) as {
    detail: string;
  }[];
  return rows.map(({ detail }) => detail);
}

/** The steps of a plan whose cost grows with history: passing over a table, and sorting what was found in one. */
function costly(sql: string, on = db): string[] {
  const plan = planOf(sql, on);
  const looksIn = plan.filter((step) => /^(SCAN|SEARCH) (?!\d+-ROW VALUES)/.test(step));
  const isSmall = looksIn.every((step) => SMALL.test(step));
  return plan.filter((step) => /^SCAN|TEMP B-TREE/.test(step) && !isSmall);
}

const lists =
  (filter: Partial<ListFilter>, order: "asc" | "desc" = "asc") =>
  (spied: Database.Database) => {
    new MessageList(
      new ListConnection(spied),
      { order, limit: 100, offset: 0, ...filter },
      { now: NOW, graceMs: 0 },
      0,
    ).close();
  };

const COUNTS = { pending: 0, in_progress: 0, complete: 0, failed: 0 };

/** The reads and the tally, without the statements of their ledger. */
function readsOver(spied: Database.Database): void {
  const ledger = new SqliteLedger(db);
  const engine = { head: 0, counts: COUNTS, waiting: () => 0 };
  new SqliteReads({ db: spied, lists: new ListReader(spied, spied, 0), ledger, engine, graceMs: 0 });
  tallyOver(spied, ledger);
}

describe("every statement", () => {
  test("of the ledger finds what it wants by an index", () => {
    const statements = preparedBy((spied) => new SqliteLedger(spied));
    expect(statements.length).toBeGreaterThan(15);
    for (const sql of statements) expect(costly(sql), sql).toEqual([]);
  });

  test("of the ledger that reads a body reads one message's: many together may not fit the memory", () => {
    const statements = preparedBy((spied) => new SqliteLedger(spied));
    const withBodies = statements.filter((sql) => /^SELECT .*\btask\b.* FROM coordination_messages\b/.test(sql));
    const stepwise = / INDEXED BY coordination_messages_finished /; // read row by row, up to a portion
    expect(withBodies.filter((sql) => !stepwise.test(sql))).toEqual([expect.stringMatching(/ WHERE id = \?$/)]);
  });

  test("of the reads finds what it wants by an index", () => {
    const once = /GROUP BY status$/; // only where the log does not say the counts
    const statements = preparedBy((spied) => readsOver(spied)).filter((sql) => !once.test(sql));
    expect(statements.length).toBeGreaterThan(8);
    for (const sql of statements) expect(costly(sql), sql).toEqual([]);
  });

  test("of any list reads on from its place, by the narrowest index, or through all messages in order", () => {
    const values = {
      ...({ to_claude: "a", from_claude: "b", type: "task" } as const),
      ...({ thread_id: "t", failure: "error", chain_id: "c" } as const),
    };
    const fields = Object.keys(values) as (keyof typeof values)[];
    for (const status of [undefined, "pending", "in_progress", "complete", "failed"] as const) {
      for (let chosen = 0; chosen < 2 ** fields.length; chosen++) {
        const some = fields.filter((_, i) => chosen & (2 ** i));
        const filter = { status, ...Object.fromEntries(some.map((field) => [field, values[field]])) };
        for (const order of ["asc", "desc"] as const) {
          const [scan, full] = preparedBy(lists(filter, order)) as [string, string];
          expect(costly(scan), scan).toEqual([]);
          expect(planOf(full)).toEqual(["SEARCH coordination_messages USING INTEGER PRIMARY KEY (rowid=?)"]);
        }
      }
    }
  });
});

test("what is open for a recipient is read on from its place, whatever else is asked", () => {
  for (const order of ["asc", "desc"] as const) {
    const [scan, full] = preparedBy(lists({ open_for: "a", to_claude: "*", status: "pending" }, order));
    const [receipts, messages] = planOf(scan as string);
    expect(receipts).toMatch(/^SEARCH r USING INDEX coordination_receipts_open \(recipient=\? AND message_id[<>]\?\)$/);
    expect(messages).toMatch(/^SEARCH m USING INDEX .* \(id=\?\)$/);
    expect(planOf(scan as string)).toHaveLength(2);
    expect(planOf(full as string)).toEqual([expect.stringMatching(/^SEARCH .* \(id=\?\)$/)]);
  }
});

describe("what is asked all the time", () => {
  const ledger = () => preparedBy((spied) => new SqliteLedger(spied));
  const reads = () => preparedBy((spied) => readsOver(spied));
  const planFor = (statements: string[], like: RegExp) => planOf(statements.find((sql) => like.test(sql)) as string);

  test("the next task to claim is the first of its index", () => {
    expect(planFor(ledger(), /ORDER BY claim_rank, rowid LIMIT 1/)).toEqual([
      expect.stringMatching(
        /^SEARCH .* USING (COVERING )?INDEX coordination_messages_claimable \(to_claude=\? AND claim_rank>\?\)$/,
      ),
    ]);
  });

  test("a claim asked again is found by holder and key", () => {
    expect(planFor(ledger(), /claim_key = \? AND/)).toEqual([
      "SEARCH coordination_messages USING INDEX coordination_messages_held (claimed_by=? AND claim_key=?)",
    ]);
  });

  test("what is due, and when next to look, are the first of their index", () => {
    expect(planFor(ledger(), /wake_at <= \? ORDER BY/)).toEqual([
      "SEARCH coordination_messages USING INDEX coordination_messages_wake (wake_at<?)",
    ]);
    expect(planFor(ledger(), /min\(wake_at\)/)).toEqual([
      "SEARCH coordination_messages USING COVERING INDEX coordination_messages_wake (wake_at>?)",
    ]);
  });

  test("what a reader may see is merged from the index of its addresses, in order", () => {
    const plan = planFor(reads(), /coordination_log_index WHERE name = :a1 AND/).join("\n");
    expect(plan.match(/USING PRIMARY KEY \(name=\? AND seq>\?\)/g)).toHaveLength(3);
    expect(plan).toMatch(/MERGE \(UNION\)/);
    expect(plan).not.toMatch(/SCAN|TEMP B-TREE FOR ORDER/);
  });

  test("behind the index the log is looked through, from where a reader stands", () => {
    expect(planFor(reads(), /:after AND \(l.from_claude = :a0 OR/)[0]).toBe(
      "SEARCH l USING INTEGER PRIMARY KEY (rowid>?)",
    );
  });

  test("how far a chain has come is the last of its index", () => {
    expect(planFor(ledger(), /ORDER BY hops DESC/)).toEqual([
      "SEARCH coordination_messages USING COVERING INDEX coordination_messages_hops (chain_id=?)",
    ]);
  });

  test("the head of the log is read off its end", () => {
    expect(planFor(reads(), /coalesce\(max\(seq\)/)).toEqual(["SEARCH coordination_log"]);
    expect(planFor(reads(), /^SELECT counts/).slice(0, 1)).toEqual([
      "SEARCH coordination_log USING INTEGER PRIMARY KEY (rowid=?)",
    ]);
  });
});

test("the same holds in an application's database that was analysed while everything waited", async () => {
  const file = newFile();
  const hub = await openStore(file);
  for (let i = 0; i < 4; i++) await hub.commit(...Array.from({ length: 250 }, () => sending({ to_claude: "worker" })));
  for (let i = 0; i < 5; i++) await hub.claimNext(run("worker", "r1"));
  await hub.close();
  inside(file, (application) => application.exec("ANALYZE"));
  const analysed = openDatabase(file, NOW);
  const statements = preparedBy(
    (spied) => [new SqliteLedger(spied), readsOver(spied), lists({ thread_id: "t" })(spied)],
    analysed,
  );
  for (const sql of statements) expect(planOf(sql, analysed), sql).toEqual(planOf(sql));
  analysed.close();
});
