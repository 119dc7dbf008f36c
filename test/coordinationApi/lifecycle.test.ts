/** The document's life of a message, led by callers that know nothing beyond the document: no name, no run. */
import { beforeAll, describe, expect, test } from "vitest";
import { LEASES } from "../../shared/defaults.ts";
import { Heard, join } from "../client/sdk/support.ts";
import { ManualClock } from "../support/clock.ts";
import { http } from "../support/http.ts";
import { startHub, type TestHub } from "../support/hub.ts";

const SENT = { from_claude: "windows_frontend", to_claude: "server_backend", task: "Scrape latest RSS feeds" };

let hub: TestHub;

beforeAll(async () => {
  hub = await startHub();
});

const get = (id: string) => http(`${hub.url}/message/${id}`);
const put = (id: string, body: unknown) => http(`${hub.url}/message/${id}`, { method: "PUT", body });
const remove = (id: string) => http(`${hub.url}/message/${id}`, { method: "DELETE" });

async function send(fields: object = {}): Promise<string> {
  const { body } = await http(`${hub.url}/message`, { method: "POST", body: { ...SENT, ...fields } });
  return body.data.id;
}

describe("whoever has no name", () => {
  test("leads a task through its life, and a second claim is refused", async () => {
    const id = await send();
    expect((await put(id, { status: "in_progress" })).status).toBe(200);
    const second = await put(id, { status: "in_progress" });
    expect(second.status).toBe(409);
    expect(second.body).toMatchObject({ success: false, details: { id, status: "in_progress" } });
    expect(second.body.error).toContain("in_progress");
    const done = await put(id, { status: "complete", result: "250 ETF records" });
    expect(done.body.data).toMatchObject({ status: "complete", result: "250 ETF records" });
    const late = await put(id, { status: "failed", error: "API rate limited" });
    expect(late.status).toBe(409);
    expect((await get(id)).body).toEqual(done.body);
  });

  test("may complete or fail a task without having claimed it", async () => {
    const [done, broken] = [await send(), await send()];
    expect((await put(done, { status: "complete", result: "r" })).body.data.status).toBe("complete");
    expect((await put(broken, { status: "failed", error: "e" })).body.data.status).toBe("failed");
  });

  test("reads a chat and acknowledges it, as often as it likes", async () => {
    const id = await send({ type: "chat" });
    for (const status of ["in_progress", "in_progress", "complete", "complete"]) {
      const answer = await put(id, { status });
      expect([answer.status, answer.body.data.status]).toEqual([200, status]);
    }
  });

  test("acknowledges a chat in one step", async () => {
    const id = await send({ type: "chat" });
    const { status, body } = await put(id, { status: "complete" });
    expect([status, body.data.status]).toEqual([200, "complete"]);
  });
});

describe("beside workers that know of runs and attempts, whoever has no name", () => {
  test("finishes nothing that one of them holds, and blocks nothing for them for ever", async () => {
    const clock = new ManualClock();
    const { url, origin } = await startHub({ clock });
    const at = (id: string, status: string) => http(`${url}/message/${id}`, { method: "PUT", body: { status } });
    const boss = await join(url, { as: SENT.from_claude });
    const worker = await join(url, { as: SENT.to_claude });
    const [held, theirs] = [await boss.send(SENT), await boss.send(SENT)];
    await worker.claim({ id: held.id });
    for (const status of ["in_progress", "complete", "failed", "pending"]) {
      expect((await at(held.id, status)).status).toBe(409);
    }
    expect((await at(theirs.id, "in_progress")).status).toBe(200); // and is never heard of again
    await worker.complete({ id: held.id, attempt: 1, result: "mine" });
    expect(await held.result()).toMatchObject({ result: "mine", attempt: 1 });
    const again = new Heard(boss, "requeued");
    clock.advance(LEASES.detached_ms);
    await http(`${origin}/readyz`); // a commit after whatever was due
    await again.find(({ message }) => message.id === theirs.id);
  });
});

describe("a task that is stuck in_progress", () => {
  const stuck = async () => {
    const id = await send();
    await put(id, { status: "in_progress" });
    return id;
  };

  test("is cleaned up by status failed", async () => {
    const id = await stuck();
    const { status, body } = await put(id, { status: "failed" });
    expect([status, body.data.status]).toEqual([200, "failed"]);
  });

  test("is cleaned up by deleting it, whoever holds it", async () => {
    const id = await send();
    const holder = { "x-claude-id": "server_backend", "x-claude-run": "crashed" };
    await http(`${hub.url}/message/${id}/claim`, { method: "POST", headers: holder });
    expect((await get(id)).body.data.status).toBe("in_progress");
    const refused = await put(id, { status: "failed" });
    const why = "Task is not yours: server_backend holds it; `cancel` or `delete` ends it all the same";
    expect([refused.status, refused.body.error]).toEqual([409, why]);
    expect((await remove(id)).body).toEqual({ success: true, message: `Message deleted: ${id}` });
    const claim = await http(`${hub.url}/message/${id}/complete`, { method: "POST", headers: holder, body: {} });
    expect(claim.status).toBe(404);
  });
});

test("everything is still there after a restart", async () => {
  const first = await startHub();
  const { body } = await http(`${first.url}/message`, { method: "POST", body: SENT });
  await first.close();
  const second = await startHub({ db: first.db });
  const found = await http(`${second.url}/message/${body.data.id}`);
  expect(found.body).toEqual({ success: true, data: body.data });
});
