/** The user's document (coordination-api.md) replayed route by route: every shape, status and sentence. */
import { beforeAll, describe, expect, test } from "vitest";
import { http } from "../support/http.ts";
import { startHub, type TestHub } from "../support/hub.ts";

const SENT = {
  from_claude: "windows_frontend",
  to_claude: "server_backend",
  task: "Run YouTube scraper for latest videos",
  context: "Looking for market analysis from top 5 channels",
  type: "task",
};

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const ID = /^[0-9a-f]{32}$/;
const UNKNOWN = "a1b2c3d4e5f60718293a4b5c6d7e8f90";

/** The document's fields of a message, in the document's order. */
const FIELDS = [
  "id",
  "from_claude",
  "to_claude",
  "task",
  "context",
  "type",
  "status",
  "result",
  "error",
  "created_at",
  "updated_at",
];

let hub: TestHub;

beforeAll(async () => {
  hub = await startHub();
});

const get = (path: string) => http(hub.url + path);
const post = (path: string, body: unknown) => http(hub.url + path, { method: "POST", body });
const put = (path: string, body: unknown) => http(hub.url + path, { method: "PUT", body });
const remove = (path: string) => http(hub.url + path, { method: "DELETE" });

async function send(fields: Partial<typeof SENT> = {}): Promise<string> {
  const { body } = await post("/message", { ...SENT, ...fields });
  return body.data.id;
}

/** Whether a message's first fields are the document's, in its order. */
function expectDocumentOrder(message: object): void {
  const known = FIELDS.filter((field) => field in message);
  expect(Object.keys(message).slice(0, known.length)).toEqual(known);
}

describe("1. Send a task", () => {
  test("answers 201 with the message, the document's fields first", async () => {
    const { status, body } = await post("/message", SENT);
    expect(status).toBe(201);
    expect(Object.keys(body).slice(0, 2)).toEqual(["success", "data"]);
    expect(body.success).toBe(true);
    expect(body.data).toMatchObject({ ...SENT, status: "pending" });
    expect(body.data.id).toMatch(ID);
    expect(body.data.created_at).toMatch(TIME);
    expect(body.data.updated_at).toBe(body.data.created_at);
    expectDocumentOrder(body.data);
  });

  test("takes a chat, and a task is what it is without a type", async () => {
    const { type, context, ...least } = SENT;
    const chat = await post("/message", { ...least, type: "chat" });
    expect([chat.status, chat.body.data.type]).toEqual([201, "chat"]);
    const task = await post("/message", least);
    expect([task.status, task.body.data.type]).toEqual([201, "task"]);
    expect(task.body.data).not.toHaveProperty("context");
  });

  test("says what is missing or wrong", async () => {
    const { to_claude, ...nobody } = SENT;
    const { from_claude, ...unsigned } = SENT;
    const cases = [
      [nobody, "Missing field: to_claude"],
      [unsigned, "Missing field: from_claude"],
      [{ ...SENT, type: "note" }, "Invalid type. Must be one of: chat, task"],
      [{ ...SENT, task: "" }, "task must not be empty"],
    ] as const;
    for (const [body, error] of cases) {
      const answer = await post("/message", body);
      expect([answer.status, answer.body.success, answer.body.error]).toEqual([400, false, error]);
    }
  });
});

describe("2. Get pending messages", () => {
  const ids: string[] = [];
  const idsOf = (body: { data: { id: string }[] }) => body.data.map(({ id }) => id);

  beforeAll(async () => {
    for (let i = 0; i < 105; i++) ids.push(await send({ to_claude: "reader", task: `${i}` }));
    await put(`/message/${ids[0]}`, { status: "in_progress" });
    await put(`/message/${ids[1]}`, { status: "complete", result: "done" });
    await put(`/message/${ids[2]}`, { status: "failed", error: "broken" });
  });

  test("answers with success, count and data", async () => {
    const { status, body } = await get("/messages?to_claude=reader&status=pending&limit=3");
    expect(status).toBe(200);
    expect(Object.keys(body).slice(0, 3)).toEqual(["success", "count", "data"]);
    expect(body).toMatchObject({ success: true, count: 3 });
    expect(idsOf(body)).toEqual(ids.slice(3, 6));
    for (const message of body.data) expectDocumentOrder(message);
  });

  test.each([
    ["in_progress", 0],
    ["complete", 1],
    ["failed", 2],
  ])("filters by status %s", async (status, i) => {
    const { body } = await get(`/messages?to_claude=reader&status=${status}`);
    expect(body.count).toBe(1);
    expect(body.data[0]).toMatchObject({ id: ids[i], status });
    expectDocumentOrder(body.data[0]);
  });

  test("gives 100 by default, from the first on", async () => {
    const { body } = await get("/messages?to_claude=reader");
    expect([body.count, body.data.length]).toEqual([100, 100]);
    expect(idsOf(body)).toEqual(ids.slice(0, 100));
  });

  test("goes on from an offset", async () => {
    const rest = await get("/messages?to_claude=reader&offset=100");
    expect(idsOf(rest.body)).toEqual(ids.slice(100));
    const some = await get("/messages?to_claude=reader&limit=2&offset=51");
    expect(idsOf(some.body)).toEqual(ids.slice(51, 53));
    const past = await get("/messages?to_claude=reader&offset=105");
    expect(past.body).toMatchObject({ success: true, count: 0, data: [] });
  });

  test("both filters may be left out", async () => {
    const { body } = await get("/messages?limit=500");
    expect(idsOf(body)).toEqual(expect.arrayContaining(ids));
    expect(new Set(body.data.map((message: { to_claude: string }) => message.to_claude)).size).toBeGreaterThan(1);
  });

  test("refuses a status that is none", async () => {
    const { status, body } = await get("/messages?status=done");
    expect(status).toBe(400);
    expect(body.error).toBe("Invalid status. Must be one of: pending, in_progress, complete, failed");
  });
});

describe("3. Get a specific message", () => {
  test("answers 200 with the message", async () => {
    const sent = await post("/message", SENT);
    const { status, body } = await get(`/message/${sent.body.data.id}`);
    expect(status).toBe(200);
    expect(body).toEqual({ success: true, data: sent.body.data });
  });

  test("answers 404 when there is none", async () => {
    const { status, body } = await get(`/message/${UNKNOWN}`);
    expect(status).toBe(404);
    expect(body).toMatchObject({ success: false, error: "Message not found" });
  });
});

describe("4. Update message status", () => {
  test("to in_progress, then complete with a result", async () => {
    const id = await send();
    const claimed = await put(`/message/${id}`, { status: "in_progress" });
    expect(claimed.status).toBe(200);
    expect(claimed.body).toMatchObject({ success: true, data: { id, ...SENT, status: "in_progress" } });
    const done = await put(`/message/${id}`, { status: "complete", result: "Scraped 150 articles from 6 feeds" });
    expect(done.status).toBe(200);
    expect(Object.keys(done.body)).toEqual(["success", "data"]);
    expect(done.body.data).toMatchObject({ id, status: "complete", result: "Scraped 150 articles from 6 feeds" });
    expectDocumentOrder(done.body.data);
    expect((await get(`/message/${id}`)).body).toEqual(done.body);
  });

  test("its request to the letter: what is said beside in_progress stands until the task ends", async () => {
    const id = await send();
    const said = { result: "Scraped 150 articles from 6 feeds", error: "Connection timeout" };
    const claimed = await put(`/message/${id}`, { status: "in_progress", ...said });
    expect(claimed).toMatchObject({ status: 200, body: { data: { id, status: "in_progress", ...said } } });
    expect((await get(`/message/${id}`)).body.data).toMatchObject(said);
    const ended = await put(`/message/${id}`, { status: "complete", result: "all of it" });
    expect(ended.body.data).toMatchObject({ status: "complete", result: "all of it" });
    expect(ended.body.data).not.toHaveProperty("error");
  });

  test("null is nothing said, as many languages write it", async () => {
    const { status, body } = await post("/message", { ...SENT, context: null });
    expect(status).toBe(201);
    expect(body.data).not.toHaveProperty("context");
    const claimed = await put(`/message/${body.data.id}`, { status: "in_progress", result: null, error: null });
    expect(claimed.status).toBe(200);
    expect((await put(`/message/${body.data.id}`, { status: null })).status).toBe(400);
  });

  test("what was said is gone with the try, and may not be said of one that waits", async () => {
    const id = await send();
    await put(`/message/${id}`, { status: "in_progress", result: "half of it" });
    const refused = await put(`/message/${id}`, { status: "pending", result: "half of it" });
    expect(refused).toMatchObject({ status: 400, body: { error: "result does not go with the status pending" } });
    const fenced = await put(`/message/${id}`, { status: "in_progress", attempt: 1 });
    expect(fenced).toMatchObject({ status: 400, body: { error: "attempt does not go with the status in_progress" } });
    const released = await put(`/message/${id}`, { status: "pending" });
    expect(released.body.data).toMatchObject({ status: "pending" });
    expect(released.body.data).not.toHaveProperty("result");
  });

  test("to failed with an error", async () => {
    const id = await send();
    await put(`/message/${id}`, { status: "in_progress" });
    const { status, body } = await put(`/message/${id}`, { status: "failed", error: "Connection timeout" });
    expect(status).toBe(200);
    expect(body.data).toMatchObject({ id, status: "failed", error: "Connection timeout" });
    expectDocumentOrder(body.data);
  });

  test.each([{ status: "done" }, { status: 1 }, { result: "no status at all" }])("refuses %o", async (said) => {
    const id = await send();
    const { status, body } = await put(`/message/${id}`, said);
    expect(status).toBe(400);
    expect(body.success).toBe(false);
    expect(body.error).toBe("Invalid status. Must be one of: pending, in_progress, complete, failed");
    expect((await get(`/message/${id}`)).body.data.status).toBe("pending");
  });

  test("answers 404 when there is none", async () => {
    const { status, body } = await put(`/message/${UNKNOWN}`, { status: "complete" });
    expect(status).toBe(404);
    expect(body).toMatchObject({ success: false, error: "Message not found" });
  });
});

describe("5. Delete a message", () => {
  test("answers with its id, and it is gone", async () => {
    const id = await send();
    const { status, body } = await remove(`/message/${id}`);
    expect(status).toBe(200);
    expect(body).toEqual({ success: true, message: `Message deleted: ${id}` });
    for (const gone of [await get(`/message/${id}`), await remove(`/message/${id}`)]) {
      expect([gone.status, gone.body.error]).toEqual([404, "Message not found"]);
    }
  });
});

describe("6. Get statistics", () => {
  const stats = async () => (await get("/stats")).body.data;

  test("counts by status, in the document's order", async () => {
    const { status, body } = await get("/stats");
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(["success", "data"]);
    expect(body.success).toBe(true);
    expect(Object.keys(body.data)).toEqual(["total", "pending", "in_progress", "complete", "failed"]);
  });

  test("follows a message through its life", async () => {
    const before = await stats();
    const id = await send();
    expect(await stats()).toEqual({ ...before, total: before.total + 1, pending: before.pending + 1 });
    await put(`/message/${id}`, { status: "in_progress" });
    expect(await stats()).toEqual({ ...before, total: before.total + 1, in_progress: before.in_progress + 1 });
    await put(`/message/${id}`, { status: "complete" });
    expect(await stats()).toEqual({ ...before, total: before.total + 1, complete: before.complete + 1 });
    await remove(`/message/${id}`);
    expect(await stats()).toEqual(before);
  });
});

describe("7. Heartbeat", () => {
  test("answers in its own shape", async () => {
    const { status, body } = await post("/heartbeat", { claude_id: "server_backend" });
    expect(status).toBe(200);
    expect(body).toEqual({
      success: true,
      timestamp: expect.stringMatching(TIME),
      claude_id: "server_backend",
    });
    expect(Object.keys(body)).toEqual(["success", "timestamp", "claude_id"]);
  });

  test("makes the instance present", async () => {
    await post("/heartbeat", { claude_id: "beating" });
    const { body } = await get("/presence/beating");
    expect(body.data.instances).toMatchObject([{ claude_id: "beating", state: "online" }]);
  });

  test("says when nobody is named", async () => {
    const { status, body } = await post("/heartbeat", {});
    expect([status, body.error]).toEqual([400, "Missing field: claude_id"]);
  });
});
