/**
 * Addresses of several: of a role everyone is told, any one of them claims, and it survives its claimant; of a chat to
 * `*` each has a receipt.
 */
import { describe, expect, test } from "vitest";
import { connect } from "../../../../client/sdk/index.ts";
import type { Event } from "../../../../shared/event.ts";
import { defer } from "../../../support/defer.ts";
import { http } from "../../../support/http.ts";
import { startHub, type TestHub } from "../../../support/hub.ts";
import { RawSocket } from "../../../support/rawSocket.ts";
import { FACES, type Face } from "../input/faces.ts";

const greet = (url: string, claude_id: string, roles: string[] = [], resume?: string) =>
  RawSocket.greet(url, { claude_id, run: `run-${claude_id}`, about: { roles }, ...(resume && { resume }) });

describe.each(Object.entries(FACES))("over %s", (_, enter) => {
  type Caller = Awaited<ReturnType<typeof join>>;
  const join = async (hub: TestHub, claude_id: string, roles: string[] = []) => {
    const say = await enter(hub, { claude_id, run: `run-${claude_id}`, about: { roles } });
    return { call: async (...asked: Parameters<Face>) => (await say(...asked)).result };
  };

  test("a member that waits is given the task, once", async () => {
    const hub = await startHub();
    const [ada, bob, eve] = await Promise.all([
      join(hub, "ada", ["reviewer", "tester"]),
      join(hub, "bob", ["reviewer"]),
      join(hub, "eve"),
    ]);
    await ada.call("events", {}); // over REST, whoever polls is there
    const waits = [ada, bob].map((member) => member.call("claim_next", { wait_ms: 20_000 }));
    const { message, recipient } = await eve.call("send", { to_claude: "@reviewer", task: "look at it" });
    expect(recipient).toMatchObject({ state: "online", waiting: 1, wake: "connected" });
    const first = await Promise.race(waits);
    expect(first).toMatchObject({ id: message.id, status: "in_progress", attempt: 1 });
    const { message: second } = await eve.call("send", { to_claude: "@reviewer", task: "and at this" });
    const both = await Promise.all(waits);
    expect(new Set(both.map((task) => task?.id))).toEqual(new Set([message.id, second.id]));
    expect(new Set(both.map((task) => task?.claimed_by))).toEqual(new Set(["ada", "bob"]));
  });

  test("members see what happens in their pools, live and read back; others do not", async () => {
    const hub = await startHub();
    const ada = await join(hub, "ada", ["reviewer"]);
    const eve = await join(hub, "eve", ["tester"]);
    const start = (await ada.call("info", {})).cursor;
    const { message } = await eve.call("send", { to_claude: "@reviewer", task: "look at it" });
    await eve.call("send", { to_claude: "@other", task: "not for ada" });
    await ada.call("claim", { id: message.id });
    const kinds = async (caller: Caller) => {
      const { events } = await caller.call("events", { after: start });
      return events.map(({ kind, message: { id } }: Event) => `${kind} ${id === message.id}`);
    };
    expect(await kinds(ada)).toEqual(["new true", "claimed true"]);
    expect(await kinds(eve)).toEqual(["new true", "new false", "claimed true"]);
    const pool = await http(`${hub.url}/events?after=${start}&for=@reviewer`);
    expect(pool.body.data.events).toHaveLength(2);
  });

  test("the oldest of one's own tasks and one's pools' goes first, and a name alone takes none of a pool's", async () => {
    const hub = await startHub();
    const ada = await join(hub, "ada", ["reviewer"]);
    const { message: pooled } = await ada.call("send", { to_claude: "@reviewer", task: "first" });
    const { message: own } = await ada.call("send", { to_claude: "ada", task: "second" });
    const bob = await join(hub, "bob");
    expect(await bob.call("claim_next", {})).toBeNull();
    expect(await ada.call("claim_next", {})).toMatchObject({ id: pooled.id });
    expect(await ada.call("claim_next", { for_claude: "ada" })).toMatchObject({ id: own.id });
    const { message: third } = await ada.call("send", { to_claude: "@reviewer", task: "third" });
    expect(await bob.call("claim_next", { for_claude: "@reviewer" })).toMatchObject({
      id: third.id,
      claimed_by: "bob",
    });
  });
});

test("a run that comes back with other roles is told that its view has changed, also when it did not hear it", async () => {
  const hub = await startHub();
  const ada = await greet(hub.wsUrl, "ada", ["reviewer"]);
  const { cursor } = await ada.call("info", {});
  ada.ws.close();
  for (let i = 0; i < 2; i++) {
    const socket = await RawSocket.open(hub.wsUrl);
    const said = { claude_id: "ada", run: "run-ada", resume: cursor, about: { roles: ["tester"] } };
    expect(await socket.hello(said)).toMatchObject({ cursor, resumed: false, reason: "filter_changed" });
  }
});

test.each(["websocket", "long_poll"] as const)(
  "an SDK worker of a role over %s does what waited for its pool and what comes, and is told of chats to it",
  async (transport) => {
    const hub = await startHub();
    const boss = await connect({ as: "boss", url: hub.url });
    defer(() => boss.close());
    const waited = await boss.send({ to_claude: "@counter", task: "a b" });
    const worker = await connect({ as: "w1", url: hub.url, transport, about: { roles: ["counter"] } });
    defer(() => worker.close());
    const told: string[] = [];
    await new Promise<void>((resolve) => {
      worker.on("new", ({ message, backlog }) => {
        told.push(`${message.task}${backlog ? " (waited)" : ""}`);
        resolve();
      });
    });
    worker.work((task) => `${task.task.split(" ").length}`);
    expect(await waited.result()).toMatchObject({ result: "2", claimed_by: "w1" });
    const live = await boss.send({ to_claude: "@counter", task: "a b c" });
    expect(live.recipient).toMatchObject({ state: "online", wake: "connected" });
    expect(await live.result()).toMatchObject({ result: "3" });
    const chat = await boss.chat("@counter", "well done");
    expect(await chat.reached("delivered")).toMatchObject({ delivered_at: expect.any(String) });
    expect(told).toEqual(["a b (waited)", "a b c", "well done"]);
    const { instances } = await boss.presence({ claude_id: "w1" });
    expect(instances).toMatchObject([{ roles: ["counter"], connections: [{ transport }] }]);
  },
);

test("each who knows of a chat to everyone has a receipt of it, from the first moment, and its sender is told", async () => {
  const hub = await startHub();
  const greetReader = (claude_id: string) => RawSocket.greet(hub.wsUrl, { claude_id, receives: true });
  const [boss, ada, bob] = [await greetReader("boss"), await greetReader("ada"), await greetReader("bob")];
  const { message } = await boss.call("send", { to_claude: "*", task: "the dashboard is up", type: "chat" });
  const { id } = message;
  const receipts = async () => (await http(`${hub.url}/message/${id}/receipts`)).body.data.receipts;
  expect(await receipts()).toEqual([{ recipient: "ada" }, { recipient: "bob" }]);
  for (const reader of [boss, ada, bob]) {
    await reader.event("new", id);
    reader.ack(reader.pages.at(-1)?.cursor as string);
  }
  await boss.until("both", () => boss.events.filter(({ kind }) => kind === "delivered").length === 2);
  const put = (status: string, by?: string) => {
    const headers: Record<string, string> = by === undefined ? {} : { "x-claude-id": by };
    return http(`${hub.url}/message/${id}`, { method: "PUT", headers, body: { status, result: "read" } });
  };
  expect((await put("complete", "ada")).body).toMatchObject({ success: true, data: { id, status: "complete" } });
  expect(await boss.event("acknowledged", id)).toMatchObject({ actor: "ada", message: { result: "read" } });
  const pending = await bob.call("list", { status: "pending", to_claude: "*" });
  expect(pending.messages).toEqual([message]);
  expect(await receipts()).toMatchObject([
    { acknowledged_at: expect.any(String) },
    { delivered_at: expect.any(String) },
  ]);
  expect((await put("complete")).body.data).toMatchObject({ id, status: "complete", result: "read" });
  await bob.event("completed", id);
  expect(bob.events.map(({ kind }) => kind)).toEqual(["new", "completed"]);
  expect((await http(`${hub.url}/message/nothing/receipts`)).body).toMatchObject({ code: "not_found" });
});

test("a chat to everyone by a template has receipts, too", async () => {
  const hub = await startHub();
  const [boss] = [await greet(hub.wsUrl, "boss"), await greet(hub.wsUrl, "ada")];
  await boss.call("template_put", { name: "up", message: { to_claude: "*", type: "chat", task: "it is up" } });
  const { message } = await boss.call("send", { template: "up" });
  expect((await boss.call("receipts", { id: message.id })).receipts).toEqual([{ recipient: "ada" }]);
});
