/** Taking over the table of the user's document, with all its rows, from a database that is the application's own. */
import type Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { openDatabase } from "../../../../../server/store/sqlite/file/database.ts";
import { LEASE, NOBODY, name } from "../../../core/support.ts";
import { countsOf } from "../../fold.ts";
import { inside, look, newFile, openStore } from "../files.ts";

/** How people wrote that table: the document names its columns, not its types. */
const SHAPES = {
  plain:
    "id TEXT PRIMARY KEY, from_claude TEXT, to_claude TEXT, task TEXT, context TEXT, type TEXT, status TEXT, result TEXT, error TEXT, created_at TEXT, updated_at TEXT",
  typed: `id VARCHAR(32) PRIMARY KEY NOT NULL, from_claude VARCHAR(64) NOT NULL, to_claude VARCHAR(64) NOT NULL, task TEXT NOT NULL,
    context TEXT DEFAULT NULL, type VARCHAR(8) DEFAULT 'task' CHECK (type IN ('chat', 'task')), status TEXT DEFAULT 'pending',
    result TEXT, error TEXT, created_at DATETIME DEFAULT CURRENT_TIMESTAMP, updated_at DATETIME DEFAULT CURRENT_TIMESTAMP`,
  shuffled:
    "updated_at, created_at, error, result, status, type, context, task, to_claude, from_claude, id PRIMARY KEY",
  "without rowid":
    "id TEXT PRIMARY KEY, from_claude, to_claude, task, context, type, status, result, error, created_at, updated_at) WITHOUT ROWID; SELECT (1",
};

const AT = Date.UTC(2025, 10, 15, 10, 30);

interface OldRow {
  id: string;
  from_claude?: string;
  to_claude?: string;
  task?: string;
  context?: string | null;
  type?: string | null;
  status?: string | null;
  result?: string | null;
  error?: string | null;
  created_at?: unknown;
  updated_at?: unknown;
}

/** Every kind of row that the document can have left. */
const ROWS: OldRow[] = [
  { id: "a1", status: "pending" },
  { id: "a2", status: "in_progress", context: "which" },
  { id: "a3", status: "complete", result: "42" },
  { id: "a4", status: "failed", error: "Connection timeout" },
  { id: "a5", status: "pending", type: "chat" },
  { id: "a6", status: "in_progress", type: "chat" },
  { id: "a7", status: "complete", type: "chat", result: "" },
  { id: 'o\'dd "id"', status: "pending", task: "\u0000é😀" },
];

const complete = (row: OldRow) => ({
  from_claude: "windows_frontend",
  to_claude: "server_backend",
  task: "scrape",
  context: null,
  type: "task",
  status: "pending",
  result: null,
  error: null,
  created_at: new Date(AT).toISOString(),
  updated_at: new Date(AT + 5_000).toISOString(),
  ...row,
});

function write(db: Database.Database, rows: readonly OldRow[], table = "coordination_messages") {
  for (const row of rows.map(complete)) {
    const columns = Object.keys(row);
    db.prepare(`INSERT INTO ${table} (${columns}) VALUES (${columns.map((column) => `:${column}`)})`).run(row);
  }
}

/** A database of the application's own, with the document's table in it. */
function applicationFile(rows: readonly OldRow[], shape = SHAPES.plain, more = ""): string {
  const file = newFile();
  inside(file, (db) => {
    db.exec(`CREATE TABLE etf (symbol TEXT PRIMARY KEY, price REAL); INSERT INTO etf VALUES ('SPY', 612.5)`);
    db.exec(`CREATE TABLE coordination_messages (${shape}); ${more}`);
    write(db, rows);
    db.pragma("user_version = 17");
  });
  return file;
}

describe.each(Object.entries(SHAPES))("a table that is %s", (_name, shape) => {
  test("is taken over with all its rows", async () => {
    const hub = await openStore(applicationFile(ROWS, shape));
    const messages = await hub.all();
    expect(messages.map(({ id }) => id).sort()).toEqual(ROWS.map(({ id }) => id).sort());
    for (const row of ROWS.map(complete)) {
      const said = await hub.get(row);
      const { context, result, error, ...always } = row;
      const present = Object.fromEntries(
        Object.entries({ context, result, error }).filter(([, value]) => value !== null),
      );
      expect(said).toMatchObject({ ...always, ...present });
      for (const [field, value] of Object.entries({ context, result, error })) {
        if (value === null) expect(said).not.toHaveProperty(field);
      }
    }
    expect(await hub.store.counts()).toEqual(countsOf(messages));
    expect(await hub.store.counts()).toEqual({ pending: 3, in_progress: 2, complete: 2, failed: 1 });
  });
});

describe("a status", () => {
  const written: [as: string | null, means: string][] = [
    ["COMPLETE", "complete"],
    ["completed", "complete"],
    ["done", "complete"],
    ["In Progress", "in_progress"],
    ["in-progress", "in_progress"],
    [null, "pending"],
    ["cancelled", "failed"],
    ["__proto__", "failed"],
  ];
  const rows = written.map(([status], i) => ({ id: `s${i}`, status })) as OldRow[];

  test("is understood however it is written; work that has ended in a way nobody knows is not done again", async () => {
    const hub = await openStore(applicationFile(rows));
    for (const [i, [status, means]] of written.entries()) {
      const why = means === "failed" ? { error: `its status was ${status}` } : {};
      expect(await hub.get({ id: `s${i}` })).toMatchObject({ status: means, ...why });
    }
  });

  test("that nobody knows is told of", () => {
    const notes: string[] = [];
    openDatabase(applicationFile(rows), AT, (note) => notes.push(note)).close();
    expect(notes).toEqual([
      "the table coordination_messages of the original API was taken over: 2 of its 8 rows have a status that no message has (cancelled, __proto__): they count as failed",
    ]);
  });
});

describe("what was under way goes on", () => {
  test("pending tasks are listed and claimed, oldest first", async () => {
    const rows = [3, 1, 2].map((age) => ({ id: `t${age}`, created_at: new Date(AT - age).toISOString() }));
    const hub = await openStore(applicationFile(rows));
    expect((await hub.all()).map(({ id }) => id)).toEqual(["t3", "t2", "t1"]);
    for (const id of ["t3", "t2", "t1"]) expect(await hub.claimNext(name("server_backend"))).toMatchObject({ id });
    expect(await hub.claimNext(name("server_backend"))).toBeNull();
  });

  test("a task in progress is held in its recipient's name, with a long lease, and can be completed as the document does", async () => {
    const hub = await openStore(applicationFile(ROWS));
    const held = await hub.get({ id: "a2" });
    expect(held).toMatchObject({ status: "in_progress", claimed_by: "server_backend", attempt: 1, tries_left: 2 });
    const until = hub.now + LEASE.detachedMs;
    expect(held).toMatchObject({ lease_until: new Date(until).toISOString() });
    hub.clock.advance(LEASE.detachedMs - 1_000);
    expect((await hub.wake()).wakeAt).toBe(until);
    const completed = await hub.change({ id: "a2" }, { op: "complete", result: "done" }, NOBODY);
    expect(completed).toMatchObject({ status: "complete", result: "done", attempt: 1 });
  });

  test("chats can be read and acknowledged", async () => {
    const hub = await openStore(applicationFile(ROWS));
    expect(await hub.complete((await hub.claim({ id: "a5" }, NOBODY)) as never, NOBODY, "ok")).toMatchObject({
      result: "ok",
    });
    expect(await hub.change({ id: "a6" }, { op: "complete" }, NOBODY)).toMatchObject({ status: "complete" });
  });

  test("events tell of them, new messages come after them, and a second start changes nothing", async () => {
    const file = applicationFile(ROWS);
    const first = await openStore(file);
    expect(first.opened.position).toMatchObject({ head: 0, floor: 0 });
    await first.claim({ id: "a1" }, name("server_backend"));
    expect((await first.events("windows_frontend")).map(({ kind, message }) => [kind, message.id])).toEqual([
      ["claimed", "a1"],
    ]);
    const sent = await first.send({ to_claude: "server_backend" });
    const before = await first.all();
    expect(before.at(-1)?.id).toBe(sent.id);
    await first.close();
    expect(await (await openStore(file)).all()).toEqual(before);
  });
});

describe("times", () => {
  const asWritten = [
    ["ISO 8601", "2025-11-15T10:30:00.000Z"],
    ["ISO 8601 without milliseconds", "2025-11-15T10:30:00Z"],
    ["ISO 8601 in another zone", "2025-11-15T11:30:00+01:00"],
    ["SQLite's CURRENT_TIMESTAMP", "2025-11-15 10:30:00"],
    ["the same with milliseconds", "2025-11-15 10:30:00.000"],
    ["the same with a zone", "2025-11-15 11:30:00+01:00"],
    ["milliseconds", AT],
    ["seconds", AT / 1000],
    ["microseconds", AT * 1_000],
    ["nanoseconds as text", `${AT}000000`],
    ["milliseconds as text", String(AT)],
    ["seconds as text", String(AT / 1000)],
    ["a JavaScript number in a text column", `${AT}.0`],
  ] as const;

  test.each(asWritten)("written as %s", async (_how, written) => {
    const hub = await openStore(
      applicationFile([{ id: "t", created_at: written, updated_at: written }], SHAPES.shuffled),
    );
    const at = "2025-11-15T10:30:00.000Z";
    expect(await hub.get({ id: "t" })).toMatchObject({ created_at: at, updated_at: at });
  });

  test("a missing time of change is that of creation; what is no time at all is the beginning of time", async () => {
    const hub = await openStore(
      applicationFile([
        { id: "t1", updated_at: null },
        { id: "t2", created_at: "yesterday", updated_at: "" },
        { id: "t3", created_at: "9".repeat(400), updated_at: "+099999-01-01T00:00:00Z" },
      ]),
    );
    expect(await hub.get({ id: "t1" })).toMatchObject({ updated_at: new Date(AT).toISOString() });
    const beginning = "1970-01-01T00:00:00.000Z";
    expect(await hub.get({ id: "t2" })).toMatchObject({ created_at: beginning });
    expect(await hub.get({ id: "t3" })).toMatchObject({ created_at: beginning, updated_at: beginning });
  });
});

describe("the application's database", () => {
  const INDEXED =
    'CREATE INDEX idx_status ON coordination_messages (status); CREATE INDEX "my ""idx" ON coordination_messages (to_claude)';

  test("keeps its own tables, its user_version and its auto_vacuum", async () => {
    const file = applicationFile(ROWS, SHAPES.plain, INDEXED);
    const settings = () =>
      look(file, (db) => ({
        vacuum: db.pragma("auto_vacuum", { simple: true }),
        version: db.pragma("user_version", { simple: true }),
        etf: db.prepare("SELECT * FROM etf").all(),
      }));
    const before = settings();
    await (await openStore(file)).send({ to_claude: "worker" });
    expect(before).toEqual({ vacuum: 0, version: 17, etf: [{ symbol: "SPY", price: 612.5 }] });
    expect(settings()).toEqual(before);
    const foreign = look(file, (db) =>
      db
        .prepare("SELECT name FROM sqlite_master WHERE name NOT LIKE 'coordination_%' AND sql IS NOT NULL")
        .pluck()
        .all(),
    );
    expect(foreign).toEqual(["etf"]);
  });

  test.each([0, 1])(
    "without the document's table gets the hub's tables, and keeps auto_vacuum = %i",
    async (vacuum) => {
      const file = newFile();
      inside(file, (db) => db.exec(`PRAGMA auto_vacuum = ${vacuum}; CREATE TABLE etf (symbol TEXT)`));
      const hub = await openStore(file);
      await hub.send({ to_claude: "worker" });
      expect(look(file, (db) => db.pragma("auto_vacuum", { simple: true }))).toBe(vacuum);
    },
  );

  test("keeps views of the table and references to it", async () => {
    const file = applicationFile(
      ROWS,
      SHAPES.plain,
      `CREATE VIEW open_tasks AS SELECT id FROM coordination_messages WHERE status = 'pending';
       CREATE TABLE notes (message_id TEXT REFERENCES coordination_messages (id) ON DELETE CASCADE, note TEXT);`,
    );
    inside(file, (db) => db.exec("INSERT INTO notes VALUES ('a3', 'mine')"));
    const hub = await openStore(file);
    expect(look(file, (db) => db.prepare("SELECT note FROM notes").pluck().all())).toEqual(["mine"]);
    expect(look(file, (db) => db.prepare("SELECT id FROM open_tasks").all())).toHaveLength(3);
    inside(file, (db) => db.exec("PRAGMA foreign_keys = ON; INSERT INTO notes VALUES ('a1', 'more')"));
    expect(await hub.complete({ ...(await hub.get({ id: "a2" })) } as never, NOBODY)).toMatchObject({
      status: "complete",
    });
  });

  test("loses nothing: columns that the hub does not know stay in the table as it was", async () => {
    const file = applicationFile(ROWS, `${SHAPES.plain}, stars INTEGER`, "");
    inside(file, (db) => db.exec("UPDATE coordination_messages SET stars = 5 WHERE id = 'a3'"));
    const hub = await openStore(file);
    expect(await hub.all()).toHaveLength(ROWS.length);
    const kept = look(file, (db) =>
      db.prepare("SELECT id, stars FROM coordination_messages_before WHERE stars > 0").all(),
    );
    expect(kept).toEqual([{ id: "a3", stars: 5 }]);
  });

  test("with nothing more in its table keeps no second copy of it", async () => {
    const file = applicationFile(ROWS);
    await openStore(file);
    const tables = look(file, (db) => db.prepare("SELECT name FROM sqlite_master WHERE name LIKE '%before%'").all());
    expect(tables).toEqual([]);
  });

  test("that has another table of one of the hub's names stays as it was", async () => {
    const file = applicationFile(ROWS, SHAPES.plain, "CREATE TABLE coordination_log (line TEXT)");
    const content = () =>
      look(file, (db) => [
        db.prepare("SELECT * FROM coordination_messages").all(),
        db.prepare("SELECT sql FROM sqlite_master").pluck().all(),
      ]);
    const before = content();
    await expect(openStore(file)).rejects.toThrow(/coordination_log already exists/);
    expect(content()).toEqual(before);
  });
});
