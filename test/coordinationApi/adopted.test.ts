/** Rows of the original API that break rules which it did not have are found, done and removed like all others. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { inside } from "../server/store/sqlite/files.ts";
import { http } from "../support/http.ts";
import { startHub, type TestHub } from "../support/hub.ts";
import { tempDir } from "../support/tempDir.ts";

const TABLE = `CREATE TABLE coordination_messages (id TEXT, from_claude TEXT, to_claude TEXT, task TEXT, context TEXT,
  type TEXT, status TEXT, result TEXT, error TEXT, created_at TEXT, updated_at TEXT)`;

interface OldRow {
  id: string | null;
  from_claude?: string;
  to_claude?: string | null;
}

/** A hub over a table of the original API with these rows. */
async function takeOver(rows: readonly OldRow[], more = ""): Promise<TestHub & { rest: ReturnType<typeof restOf> }> {
  const db = join(tempDir(), "etf.db");
  inside(db, (file) => {
    file.exec(`${TABLE}; CREATE TABLE etf (changes INTEGER); INSERT INTO etf VALUES (0); ${more}`);
    const insert = file.prepare(
      "INSERT INTO coordination_messages (id, from_claude, to_claude, task, status, created_at) VALUES (?, ?, ?, ?, ?, ?)",
    );
    for (const [i, { id, from_claude = "ada", to_claude = "bob" }] of rows.entries()) {
      insert.run(id, from_claude, to_claude, `${i}`, "pending", `2025-11-15T10:30:0${i}Z`);
    }
  });
  const hub = await startHub({ db });
  return { ...hub, rest: restOf(hub) };
}

const restOf =
  ({ url }: TestHub) =>
  async (method: string, path: string, body?: object) => {
    const answer = await http(`${url}${path}`, { method, ...(body && { body }) });
    return { ...answer.body, status: answer.status };
  };

const warnings = ({ logged }: TestHub) => logged.map((line) => JSON.parse(line).msg as string);

test("to a name with a space, from one with an accent: the old loop of its recipient goes on", async () => {
  const hub = await takeOver([{ id: "a1", from_claude: "zoë", to_claude: "server backend" }]);
  const pending = "/messages?to_claude=server%20backend&status=pending";
  expect(await hub.rest("GET", pending)).toMatchObject({ status: 200, count: 1, data: [{ id: "a1" }] });
  expect(await hub.rest("GET", "/messages?from_claude=zo%C3%AB")).toMatchObject({ count: 1 });
  const claimed = { status: "in_progress", claimed_by: "server backend" };
  expect(await hub.rest("PUT", "/message/a1", { status: "in_progress" })).toMatchObject({ data: claimed });
  const done = { status: "complete", result: "42" };
  expect(await hub.rest("PUT", "/message/a1", done)).toMatchObject({ data: done });
  expect(await hub.rest("GET", pending)).toMatchObject({ count: 0 });
  expect(await hub.rest("DELETE", "/message/a1")).toMatchObject({ success: true });
});

test("names of new messages and of callers keep their rule", async () => {
  const { rest, url } = await takeOver([]);
  const said = { from_claude: "ada", to_claude: "server backend", task: "x" };
  expect(await rest("POST", "/message", said)).toMatchObject({ status: 400, details: { field: "to_claude" } });
  const asked = await http(url, { headers: { "x-claude-id": "server backend" } });
  expect(asked.status).toBe(400);
});

test("without an id, with one too long, or with another's: each gets a new one, the oldest keeps its own", async () => {
  const ids = [null, "same", "", "x".repeat(129), null, "same"];
  const hub = await takeOver(ids.map((id) => ({ id })));
  const { data } = await hub.rest("GET", "/messages");
  expect(data.map(({ task }: { task: string }) => task)).toEqual(["0", "1", "2", "3", "4", "5"]);
  const fresh = expect.stringMatching(/^[0-9a-f]{32}$/);
  expect(data.map(({ id }: { id: string }) => id)).toEqual([fresh, "same", fresh, fresh, fresh, fresh]);
  for (const { id } of data) {
    expect(await hub.rest("POST", `/message/${id}/claim`, {})).toMatchObject({ data: { id, status: "in_progress" } });
    expect(await hub.rest("POST", `/message/${id}/complete`, {})).toMatchObject({ data: { status: "complete" } });
    expect(await hub.rest("DELETE", `/message/${id}`)).toMatchObject({ success: true });
  }
  expect(warnings(hub)).toEqual([expect.stringMatching(/^.*coordination_messages.*: 5 of its 6 rows had no id/)]);
});

test("the hub says once how many have names that no new message can have, and which triggers are gone", async () => {
  const hub = await takeOver(
    [
      { id: "a1" },
      { id: "a2", to_claude: "server backend" },
      { id: "a3", from_claude: "zoë" },
      { id: "a4", to_claude: null },
    ],
    `CREATE TRIGGER counts AFTER UPDATE ON coordination_messages BEGIN UPDATE etf SET changes = changes + 1; END;
     CREATE TRIGGER elsewhere AFTER UPDATE ON etf BEGIN SELECT 1; END;`,
  );
  expect(warnings(hub)).toEqual([
    expect.stringMatching(/: 3 of its 4 rows have names that no new message can have/),
    expect.stringMatching(/triggers.*: counts$/),
  ]);
  await hub.close();
  expect(warnings(await startHub({ db: hub.db }))).toEqual([]);
});

test("of a table that keeps all rules it says nothing", async () => {
  expect(
    (await takeOver([{ id: "a1" }, { id: "a2", to_claude: "*" }, { id: "a3", to_claude: "@tester" }])).logged,
  ).toEqual([]);
});
