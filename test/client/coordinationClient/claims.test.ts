/** What a loser does cannot harm the winner: claims that were refused, lost or never answered. */
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { claimTask, completeTask, deleteMessage, getMessage } from "../../../client/coordinationClient/index.ts";
import { ManualClock } from "../../support/clock.ts";
import { http } from "../../support/http.ts";
import { startHub, type TestHub } from "../../support/hub.ts";
import { become, claimElsewhere, NOT_RUNNING, post, read, serve } from "./support.ts";

const HALF_AN_HOUR_MS = 30 * 60_000;

const clock = new ManualClock();
let hub: TestHub;

beforeAll(async () => {
  hub = await startHub({ clock });
});

beforeEach(() => become(hub.url, "server_backend"));

afterEach(() => vi.unstubAllEnvs());

describe("a claim that was refused", () => {
  test("because another process of the same name holds the task", async () => {
    const id = await post(hub.url, { task: "1" });
    await claimElsewhere(hub.url, id, "server_backend");
    await expect(claimTask(id)).rejects.toThrow("Task is in_progress: claim is not possible");
    const before = await read(hub.url, id);
    expect(await completeTask(id, "Task is in_progress: claim is not possible", "failed")).toEqual(before);
    expect(await completeTask(id, "and again", "failed")).toEqual(before);
    expect(await read(hub.url, id)).toEqual(before);
  });

  test("completes nothing that another process of the same name holds, whose own result counts", async () => {
    const id = await post(hub.url, { task: "1" });
    await claimElsewhere(hub.url, id, "server_backend");
    await expect(claimTask(id)).rejects.toThrow("Task is in_progress");
    const before = await read(hub.url, id);
    const why = "this process was refused its claim, and another that acts for server_backend holds it";
    for (const result of ["mine", "mine", "again"]) {
      await expect(completeTask(id, result)).rejects.toMatchObject({
        name: "HubError",
        code: "lease_lost",
        message: `Task is not yours: ${why}`,
        details: { id, status: "in_progress", attempt: 1, claimed_by: "server_backend" },
      });
    }
    expect(await read(hub.url, id)).toEqual(before);
    const headers = { "X-Claude-Id": "server_backend" };
    const body = { status: "complete", result: "theirs" };
    await http(`${hub.url}/message/${id}`, { method: "PUT", headers, body });
    expect(await completeTask(id, "theirs")).toMatchObject({ status: "complete", result: "theirs" });
  });

  test("completes what nobody holds any more", async () => {
    const id = await post(hub.url, { task: "1" });
    await claimElsewhere(hub.url, id, "server_backend");
    await expect(claimTask(id)).rejects.toThrow("Task is in_progress");
    await http(`${hub.url}/message/${id}`, { method: "PUT", body: { status: "pending" } });
    expect(await completeTask(id, "mine")).toMatchObject({ status: "complete", result: "mine" });
  });

  test("because nobody answered does not keep a result back: it may have succeeded", async () => {
    const id = await post(hub.url, { task: "1" });
    become(await serve((_, response) => void response.destroy()), "server_backend");
    await expect(claimTask(id)).rejects.toThrow(NOT_RUNNING);
    become(hub.url, "server_backend");
    await claimElsewhere(hub.url, id, "server_backend");
    expect(await completeTask(id, "done")).toMatchObject({ status: "complete", result: "done" });
  });

  test("because the task has ended", async () => {
    const id = await post(hub.url, { task: "1" });
    await http(`${hub.url}/message/${id}`, { method: "PUT", body: { status: "complete", result: "theirs" } });
    await expect(claimTask(id)).rejects.toThrow("Task is complete");
    expect(await completeTask(id, "no", "failed")).toMatchObject({ status: "complete", result: "theirs" });
    await expect(completeTask(id, "mine")).rejects.toThrow("Task is complete: complete is not possible");
  });

  test("because the task was deleted: there is nothing to return", async () => {
    const id = await post(hub.url, { task: "1" });
    await deleteMessage(id);
    await expect(claimTask(id)).rejects.toThrow("Message not found");
    await expect(completeTask(id, "no", "failed")).rejects.toThrow("Message not found");
  });

  test("because another part of this process holds the task, whose own word counts", async () => {
    const id = await post(hub.url, { task: "1" });
    await claimTask(id);
    await expect(claimTask(id)).rejects.toThrow("Task is in_progress");
    expect(await completeTask(id, "refused", "failed")).toMatchObject({ status: "in_progress" });
    expect(await completeTask(id, "really", "failed")).toMatchObject({ status: "failed", error: "really" });
  });

  test("because another part of this process holds the task, whose result counts", async () => {
    const id = await post(hub.url, { task: "1" });
    await claimTask(id);
    await expect(claimTask(id)).rejects.toThrow("Task is in_progress");
    expect(await completeTask(id, "really")).toMatchObject({ status: "complete", result: "really" });
    expect(await completeTask(id, "really")).toMatchObject({ status: "complete", result: "really" });
  });

  test("counts no more once a later claim has succeeded", async () => {
    const id = await post(hub.url, { task: "1" });
    await claimElsewhere(hub.url, id, "server_backend");
    await expect(claimTask(id)).rejects.toThrow();
    await http(`${hub.url}/message/${id}`, { method: "PUT", body: { status: "pending" } });
    await claimTask(id);
    expect(await completeTask(id, "broken", "failed")).toMatchObject({ status: "failed", error: "broken" });
  });
});

describe("a claim that was lost", () => {
  let slow = 0;

  /** A task that this process held for too long, and that another process of its name holds now. */
  async function takenOver(): Promise<string> {
    const name = `slow_backend_${++slow}`;
    become(hub.url, name);
    const id = await post(hub.url, { task: "1", to_claude: name, backoff_ms: 0 });
    await claimTask(id);
    clock.advance(HALF_AN_HOUR_MS + 1);
    const headers = { "X-Claude-Id": name };
    const next = await http(`${hub.url}/claim`, { method: "POST", headers, body: { wait_ms: 10_000 } });
    expect(next.body.data).toMatchObject({ id, attempt: 2 });
    return id;
  }

  test("completes nothing: another attempt holds the task", async () => {
    const id = await takenOver();
    await expect(completeTask(id, "late")).rejects.toThrow("attempt 1 is over; the present one is 2");
    expect(await read(hub.url, id)).toMatchObject({ status: "in_progress", attempt: 2 });
  });

  test("fails nothing, and returns the message unchanged", async () => {
    const id = await takenOver();
    expect(await completeTask(id, "late", "failed")).toEqual(await read(hub.url, id));
    expect(await read(hub.url, id)).toMatchObject({ status: "in_progress", attempt: 2 });
  });

  test("while nobody else has the task, its result is still taken", async () => {
    const id = await post(hub.url, { task: "1", backoff_ms: 0 });
    await claimTask(id);
    clock.advance(HALF_AN_HOUR_MS + 1);
    expect(await completeTask(id, "late")).toMatchObject({ status: "complete", result: "late" });
  });
});

test("a claim is completed under the name that made it", async () => {
  const id = await post(hub.url, { task: "1" });
  await claimTask(id);
  vi.stubEnv("CLAUDE_ID", "somebody_else");
  expect(await completeTask(id, "ok")).toMatchObject({ status: "complete", claimed_by: "server_backend" });
});

test("what a process never claimed, it may fail when it has the holder's name: nothing tells them apart", async () => {
  const id = await post(hub.url, { task: "1" });
  await claimElsewhere(hub.url, id, "server_backend");
  expect(await completeTask(id, "by hand", "failed")).toMatchObject({ status: "failed" });
  const other = await post(hub.url, { task: "2" });
  await claimElsewhere(hub.url, other, "reviewer");
  await expect(completeTask(other, "by hand", "failed")).rejects.toThrow("reviewer holds it");
  expect(await getMessage(other)).toMatchObject({ status: "in_progress" });
});

test("a task of another's that nobody holds is not completed unclaimed, and what leads on is said", async () => {
  const id = await post(hub.url, { task: "1" });
  become(hub.url, "carol");
  await expect(completeTask(id, "done")).rejects.toMatchObject({
    message: "Task is pending: complete is not possible; nobody holds it: claimTask takes it",
    code: "wrong_status",
  });
  await claimTask(id);
  expect(await completeTask(id, "done")).toMatchObject({ status: "complete", claimed_by: "carol" });
});
