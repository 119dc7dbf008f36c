/** Each function of the document against a real hub: parameters, defaults, what it gives and how it fails. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ClientRequest, IncomingHttpHeaders } from "node:http";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import {
  type CoordinationMessage,
  claimTask,
  completeTask,
  deleteMessage,
  getAllMessages,
  getMessage,
  getPendingTasks,
  sendTask,
  testCoordinationAPI,
} from "../../../client/coordinationClient/index.ts";
import { connect, LIMITS } from "../../../client/sdk/index.ts";
import { http } from "../../support/http.ts";
import { startHub, type TestHub } from "../../support/hub.ts";
import { become, post, read, serve } from "./support.ts";

let hub: TestHub;

beforeAll(async () => {
  hub = await startHub();
});

beforeEach(() => become(hub.url, "server_backend"));

afterEach(() => vi.unstubAllEnvs());

describe("sendTask", () => {
  test("sends a task to server_backend, from CLAUDE_ID", async () => {
    become(hub.url, "windows_frontend");
    const sent: CoordinationMessage = await sendTask("Scrape ETF data", "SPY and QQQ");
    expect(sent).toMatchObject({
      from_claude: "windows_frontend",
      to_claude: "server_backend",
      task: "Scrape ETF data",
      context: "SPY and QQQ",
      type: "task",
      status: "pending",
    });
    expect(sent.id).toMatch(/^[0-9a-f]{32}$/);
    expect(await read(hub.url, sent.id)).toEqual(sent);
    expect(await sendTask("without a context")).not.toHaveProperty("context");
  });

  test("sends whatever it is told, to whom and from whom", async () => {
    const chat = await sendTask("done", undefined, "windows_frontend", "reviewer", "chat");
    expect(chat).toMatchObject({ from_claude: "reviewer", to_claude: "windows_frontend", type: "chat" });
  });

  test("twice is two messages", async () => {
    expect((await sendTask("again")).id).not.toBe((await sendTask("again")).id);
  });

  test("fails with the hub's own sentence", async () => {
    await expect(sendTask("")).rejects.toThrow("task must not be empty");
    await expect(sendTask("x", "", "a b")).rejects.toThrow("to_claude must be 1 to 128 of the characters");
    await expect(sendTask("x", "", "a", "b", "poem" as "chat")).rejects.toThrow(
      "Invalid type. Must be one of: chat, task",
    );
  });
});

describe("getPendingTasks", () => {
  test("gives every pending message for CLAUDE_ID, chats too, oldest first", async () => {
    become(hub.url, "ada");
    const ids = [await post(hub.url, { task: "1", to_claude: "ada" })];
    ids.push(await post(hub.url, { task: "2", to_claude: "ada", type: "chat" }));
    await claimTask(await post(hub.url, { task: "3", to_claude: "ada" }));
    await post(hub.url, { task: "4", to_claude: "bob" });
    expect((await getPendingTasks()).map(({ id }) => id)).toEqual(ids);
    expect((await getPendingTasks("bob")).map(({ task }) => task)).toEqual(["4"]);
    expect(await getPendingTasks("nobody")).toEqual([]);
  });

  test("leaves out what claimTask would refuse for now", async () => {
    become(hub.url, "carol");
    const first = await post(hub.url, { task: "first", to_claude: "carol" });
    const second = await post(hub.url, { task: "second", to_claude: "carol", after: [first] });
    await post(hub.url, { task: "much later", to_claude: "carol", not_before: "2100-01-01T00:00:00Z" });
    const chat = await post(hub.url, { task: "hello", to_claude: "carol", type: "chat" });
    expect((await getPendingTasks()).map(({ id }) => id)).toEqual([first, chat]);
    await completeTask(first, "done");
    expect((await getPendingTasks()).map(({ id }) => id)).toEqual([second, chat]);
  });

  test("gives them all, however many pages they fill", async () => {
    const sender = await connect({ url: hub.url, as: "windows_frontend" });
    const tasks = Array.from({ length: LIMITS.list_messages + 1 }, (_, i) => `task ${i}`);
    await Promise.all(tasks.map((task) => sender.send({ to_claude: "busy_backend", task })));
    await sender.close();
    expect((await getPendingTasks("busy_backend")).map(({ task }) => task)).toEqual(tasks);
  });
});

describe("getAllMessages", () => {
  let own: TestHub;

  beforeAll(async () => {
    own = await startHub();
  });

  beforeEach(() => become(own.url, "server_backend"));

  test("gives those of every instance, or those in a status, reading all pages", async () => {
    const context = "x".repeat(LIMITS.context_bytes);
    const open = await post(own.url, { task: "1", context, to_claude: "windows_frontend" });
    const failed = await post(own.url, { task: "2", context });
    const done = [await post(own.url, { task: "3", context }), await post(own.url, { task: "4", context })];
    await completeTask(failed, "no", "failed");
    for (const id of done) await completeTask(id, "x".repeat(LIMITS.result_bytes));
    const ids = async (status?: CoordinationMessage["status"]) => (await getAllMessages(status)).map(({ id }) => id);
    expect((await http(`${own.url}/messages`)).body.count).toBeLessThan(4);
    expect((await http(`${own.url}/messages?status=complete`)).body.count).toBeLessThan(2);
    expect(await ids()).toEqual([open, failed, ...done]);
    expect(await ids("complete")).toEqual(done);
    expect(await ids("failed")).toEqual([failed]);
    expect(await ids("pending")).toEqual([open]);
    expect(await ids("in_progress")).toEqual([]);
  });

  test("refuses a status that there is not", async () => {
    await expect(getAllMessages("done" as "complete")).rejects.toThrow(
      "Invalid status. Must be one of: pending, in_progress, complete, failed",
    );
  });
});

describe("getMessage", () => {
  test("gives the message", async () => {
    const id = await post(hub.url, { task: "1" });
    expect(await getMessage(id)).toEqual(await read(hub.url, id));
  });

  test("fails when there is none, or no more", async () => {
    const gone = await post(hub.url, { task: "1" });
    await deleteMessage(gone);
    for (const id of [gone, "a1b2c3d4e5f6", "what/ever?"]) {
      const failure = await getMessage(id).catch((error) => error);
      expect(failure).toBeInstanceOf(Error);
      expect(failure.message).toBe("Message not found");
    }
  });
});

describe("claimTask", () => {
  test("moves a task to in_progress, held by CLAUDE_ID", async () => {
    const id = await post(hub.url, { task: "1" });
    expect(await claimTask(id)).toMatchObject({ id, status: "in_progress", claimed_by: "server_backend", attempt: 1 });
  });

  test("is detached: there is half an hour, and no run", async () => {
    const { claimed_at, lease_until } = await claimTask(await post(hub.url, { task: "1" }));
    expect(Date.parse(lease_until as string) - Date.parse(claimed_at as string)).toBe(30 * 60_000);
  });

  test("without CLAUDE_ID, it is held in the recipient's name", async () => {
    become(hub.url);
    const id = await post(hub.url, { task: "1" });
    expect(await claimTask(id)).toMatchObject({ claimed_by: "server_backend" });
    become(hub.url, "server_backend");
    expect(await completeTask(id, "ok")).toMatchObject({ status: "complete" });
  });

  test("marks a chat as being read; completing it acknowledges", async () => {
    const id = await post(hub.url, { task: "hello", type: "chat" });
    expect(await claimTask(id)).toMatchObject({ id, type: "chat", status: "in_progress" });
    expect(await completeTask(id, "read")).toMatchObject({ status: "complete", result: "read" });
  });

  test("is refused when the task is taken, also by another part of this process", async () => {
    const id = await post(hub.url, { task: "1" });
    await claimTask(id);
    await expect(claimTask(id)).rejects.toThrow("Task is in_progress: claim is not possible");
    await expect(claimTask("a1b2c3d4e5f6")).rejects.toThrow("Message not found");
  });
});

describe("completeTask", () => {
  test("completes with a result", async () => {
    const id = await post(hub.url, { task: "1" });
    await claimTask(id);
    const done = await completeTask(id, "Scraped 250 ETF records");
    expect(done).toMatchObject({ id, status: "complete", result: "Scraped 250 ETF records", attempt: 1 });
    expect(done).not.toHaveProperty("error");
  });

  test("completes without one, too", async () => {
    const id = await post(hub.url, { task: "1" });
    await claimTask(id);
    const done = await completeTask(id, undefined);
    expect(done).toMatchObject({ id, status: "complete" });
    expect(done).not.toHaveProperty("result");
  });

  test("the text of a failure is its error", async () => {
    const id = await post(hub.url, { task: "1" });
    await claimTask(id);
    const failed = await completeTask(id, "API rate limited", "failed");
    expect(failed).toMatchObject({ id, status: "failed", failure: "error", error: "API rate limited" });
    expect(failed).not.toHaveProperty("result");
  });

  test("a failure without a text is one", async () => {
    const id = await post(hub.url, { task: "1" });
    expect(await completeTask(id, undefined, "failed")).toMatchObject({ status: "failed" });
  });

  test("a failure's text too long for an error is the result in full", async () => {
    const id = await post(hub.url, { task: "1" });
    await claimTask(id);
    const stderr = "\0😀".repeat(LIMITS.error_bytes);
    const { status, error, result } = await completeTask(id, stderr, "failed");
    expect({ status, result }).toEqual({ status: "failed", result: stderr });
    expect(error?.length).toBeGreaterThan(2_000);
    expect(stderr.startsWith((error as string).slice(0, -2))).toBe(true);
    expect(error?.endsWith("…")).toBe(true);
  });

  test("any text of a failure can be told: half a character, and more than a result can be", async () => {
    const [cut, long] = [await post(hub.url, { task: "1" }), await post(hub.url, { task: "2" })];
    expect(await completeTask(cut, "\ud83d!", "failed")).toMatchObject({ error: "\ufffd!" });
    const { result } = await completeTask(long, "x\ud83d".repeat(LIMITS.result_bytes), "failed");
    expect(result).toMatch(/^(x\ufffd){80000}.*…$/);
  });

  test("works without a claim", async () => {
    expect(await completeTask(await post(hub.url, { task: "1" }), "ok")).toMatchObject({ status: "complete" });
  });

  test("fails with the hub's own sentence", async () => {
    const id = await post(hub.url, { task: "1" });
    await expect(completeTask(id, "x", "done" as "complete")).rejects.toThrow(
      "Invalid status. Must be one of: pending, in_progress, complete, failed",
    );
    await expect(completeTask(id, 42 as unknown as string)).rejects.toThrow("result must be a string");
    await completeTask(id, "first");
    await expect(completeTask(id, "second")).rejects.toThrow("Task is complete: complete is not possible");
    await expect(completeTask(id, "no", "failed")).rejects.toThrow("Task is complete: fail is not possible");
    await expect(completeTask("a1b2c3d4e5f6", "x")).rejects.toThrow("Message not found");
  });
});

test("deleteMessage tells whether there was something to delete", async () => {
  const id = await post(hub.url, { task: "1" });
  expect(await deleteMessage(id)).toBe(true);
  expect(await deleteMessage(id)).toBe(false);
  await expect(getMessage(id)).rejects.toThrow("Message not found");
});

test.each(["..", "."])("no message has the id %s, and nothing else is asked for in its place", async (id) => {
  const task = await post(hub.url, { task: "1" });
  await expect(getMessage(id)).rejects.toThrow("Message not found");
  await expect(claimTask(id)).rejects.toThrow("Message not found");
  await expect(completeTask(id, "x")).rejects.toThrow("Message not found");
  await expect(completeTask(id, "x", "failed")).rejects.toThrow("Message not found");
  expect(await deleteMessage(id)).toBe(false);
  await expect(claimTask("")).rejects.toThrow("id must not be empty");
  expect(await read(hub.url, task)).toMatchObject({ status: "pending" });
});

test("testCoordinationAPI tells whether the hub can be used", async () => {
  expect(await testCoordinationAPI()).toBe(true);
  vi.stubEnv("CLAUDE_ID", "not a name");
  expect(await testCoordinationAPI()).toBe(false);
  become("http://127.0.0.1:1/api/coord");
  expect(await testCoordinationAPI()).toBe(false);
});

describe("the environment", () => {
  test("is read at each call", async () => {
    const other = await startHub();
    become(hub.url, "ada");
    const first = await sendTask("one");
    become(other.url, "bob");
    const second = await sendTask("two");
    expect([first.from_claude, second.from_claude]).toEqual(["ada", "bob"]);
    expect(await getAllMessages()).toEqual([second]);
    vi.stubEnv("COORDINATION_API_URL", `${hub.url}/`);
    expect(await getMessage(first.id)).toEqual(first);
  });

  test("names the hub on localhost:3000 unless it says otherwise", async () => {
    vi.stubEnv("COORDINATION_API_URL", "");
    const asked: string[] = [];
    const hear = (message: unknown) => {
      const { request } = message as { request: ClientRequest };
      asked.push(`${request.getHeader("host")}${request.path}`);
    };
    subscribe("http.client.request.start", hear);
    await testCoordinationAPI();
    unsubscribe("http.client.request.start", hear);
    expect(asked).toEqual(["localhost:3000/api/coord/stats"]);
  });

  test("without a CLAUDE_ID, what needs a name says so", async () => {
    become(hub.url);
    for (const call of [() => sendTask("x"), () => getPendingTasks()]) {
      await expect(call()).rejects.toThrow("CLAUDE_ID is not set: set it to this instance's name, or pass the name");
    }
    vi.stubEnv("CLAUDE_ID", "клод");
    await expect(getAllMessages()).rejects.toThrow("CLAUDE_ID must be 1 to 128 of the characters A-Z a-z 0-9 _ . : -");
  });

  test("tells the hub who calls", async () => {
    const headers: IncomingHttpHeaders[] = [];
    const url = await serve((request, response) => {
      headers.push(request.headers);
      response.end('{"success":true,"data":{}}');
    });
    become(url);
    await testCoordinationAPI();
    expect(headers[0]).not.toHaveProperty("x-claude-id");
    expect(headers[0]).not.toHaveProperty("authorization");
    become(url, "ada");
    vi.stubEnv("COORDINATION_TOKEN", "secret");
    await testCoordinationAPI();
    expect(headers[1]).toMatchObject({ "x-claude-id": "ada", authorization: "Bearer secret" });
    expect(headers[1]).not.toHaveProperty("x-claude-run");
  });
});
