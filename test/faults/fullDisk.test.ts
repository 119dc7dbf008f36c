/**
 * The disk fills up: writes get one stable error, reads and replay go on, and once there is room the hub writes again
 * without a restart. Nothing that was acknowledged is lost.
 */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Page } from "../../shared/event.ts";
import type { Message } from "../../shared/message.ts";
import { pass } from "../server/transport/pass.ts";
import { ManualClock } from "../support/clock.ts";
import { http } from "../support/http.ts";
import { startHub } from "../support/hub.ts";
import { HubProcess } from "../support/processes.ts";
import { RawSocket } from "../support/rawSocket.ts";
import { eventually } from "./support/eventually.ts";
import { LogChecker } from "./support/logChecker.ts";
import { requiresMount, SmallDisk } from "./support/smallDisk.ts";

const CONTEXT = "x".repeat(20_000);
const FULL = { status: 507, body: { success: false, code: "storage_full" } };

const send = (hub: HubProcess, task: string) =>
  http(`${hub.url}/message`, {
    method: "POST",
    body: { from_claude: "ada", to_claude: "bob", task, context: CONTEXT, idempotency_key: task },
  });

/** Sends until the hub takes no more. @returns what it has acknowledged. */
async function fillUp(hub: HubProcess): Promise<Message[]> {
  const kept: Message[] = [];
  for (;;) {
    const answer = await send(hub, `${kept.length}`);
    if (answer.status !== 201) {
      expect(answer).toMatchObject(FULL);
      return kept;
    }
    kept.push(answer.body.data);
  }
}

const sendsSmall = (socket: RawSocket) => socket.call("send", { to_claude: "zoe", task: "x" });

describe("a full disk", () => {
  requiresMount();

  test("refuses writes, goes on with reads and replay, and writes again when there is room", async () => {
    const disk = new SmallDisk(4);
    const hub = await HubProcess.start({ db: join(disk.folder, "hub.db") });
    const { pid } = hub;
    const bob = await RawSocket.greet(hub.wsUrl, { claude_id: "bob", run: "r1" });
    const kept = await fillUp(hub);
    expect(kept.length).toBeGreaterThan(50);
    const first = kept[0] as Message;

    await eventually("it is not ready", async () => (await http(`${hub.origin}/readyz`)).status === 503);
    expect(await http(`${hub.origin}/healthz`)).toMatchObject({ status: 200 });
    for (let i = 0; i < 5; i++) expect(await send(hub, `refused-${i}`)).toMatchObject(FULL);
    const big = "y".repeat(100_000);
    const refused = { code: "storage_full" };
    await expect(bob.call("complete", { id: first.id, result: big })).rejects.toMatchObject(refused);
    await expect(bob.call("send", { to_claude: "ada", task: "z", context: big })).rejects.toMatchObject(refused);

    expect((await http(`${hub.url}/message/${first.id}`)).body.data).toEqual(first);
    expect((await http(`${hub.url}/messages?limit=500`)).body.count).toBe(kept.length);
    expect((await http(`${hub.url}/stats`)).body.data).toMatchObject({ total: kept.length, pending: kept.length });
    const replay = await RawSocket.greet(hub.wsUrl, { claude_id: "bob", resume: await startOf(hub) });
    expect((await replay.eventsUntil(kept.length)).map(({ message }) => message.id)).toEqual(kept.map(({ id }) => id));

    disk.grow(64);
    const more = await send(hub, "refused-0");
    expect(more).toMatchObject({ status: 201, body: { deduplicated: false } });
    expect(await http(`${hub.origin}/readyz`)).toMatchObject({ status: 200 });
    const { attempt = 0 } = await bob.call("claim", { id: first.id });
    await bob.call("complete", { id: first.id, attempt, result: "done" });
    await bob.event("completed", first.id);
    expect(hub.pid).toBe(pid);

    await hub.kill();
    await hub.restart();
    const checker = new LogChecker();
    await checker.readOn(hub.url);
    expect(checker.broken).toEqual([]);
    const acknowledged = [...kept, more.body.data].map(({ id, task }) => ({ kind: "new" as const, id, text: task }));
    expect(checker.missing([...acknowledged, { kind: "completed", id: first.id, attempt, text: "done" }])).toEqual([]);
    expect(checker.messages.size).toBe(kept.length + 1);
    expect(await checker.differences(hub.url)).toEqual([]);
  });

  test("who comes, goes and acknowledges meanwhile is known once there is room", async () => {
    const [clock, disk] = [new ManualClock(), new SmallDisk(4)];
    const hub = await startHub({ clock, db: join(disk.folder, "hub.db"), lease: { graceMs: 30_000 } });
    const greet = (claude_id: string) => RawSocket.greet(hub.wsUrl, { claude_id, run: "r1", receives: true });
    const sends = await greet("ada");
    const held = async (claude_id: string) => {
      const holder = await greet(claude_id);
      const { message } = await sends.call("send", { to_claude: claude_id, task: "t" });
      await holder.call("claim", { id: message.id });
      return { holder, id: message.id };
    };
    const leaseOf = async (id: string) => (await sends.call("get", { id })).lease;
    const [dies, returns, reads] = [await held("dies"), await held("returns"), await greet("reads")];
    const { message: chat } = await sends.call("send", { to_claude: "reads", task: "hello", type: "chat" });
    const { cursor } = (await reads.event("new", chat.id)) && (reads.pages.at(-1) as Page);
    returns.holder.ws.terminate();
    await eventually("its lease ends", async () => (await leaseOf(returns.id)) === "expiring");
    disk.fill();

    dies.holder.ws.terminate();
    const back = await greet("returns");
    const comes = await greet("comes");
    reads.ack(cursor);
    for (let i = 0; i < 100; i++) await expect(sendsSmall(sends)).rejects.toMatchObject({ code: "storage_full" });
    await pass(clock, 12_000);
    expect(await leaseOf(dies.id)).toBe("kept");

    disk.grow(64);
    await sendsSmall(sends);
    await pass(clock, 2_000);
    expect(await leaseOf(dies.id)).toBe("expiring");
    expect(await leaseOf(returns.id)).toBe("kept");
    expect(await sends.call("get", { id: chat.id })).toMatchObject({ delivered_at: expect.any(String) });
    const { message: forAll } = await sends.call("send", { to_claude: "*", task: "all", type: "chat" });
    await comes.event("new", forAll.id);
    const { receipts } = await sends.call("receipts", { id: forAll.id });
    expect(receipts.map(({ recipient }) => recipient)).toContain("comes");
    await pass(clock, 31_000);
    const isBack = async () => (await sends.call("get", { id: dies.id })).status === "pending";
    await eventually("the task of whoever died is back", isBack);
    await back.call("complete", { id: returns.id, attempt: 1 });
  });

  test("a hub that is started on it says so, and starts when there is room", async () => {
    const disk = new SmallDisk(1);
    disk.fill();
    const db = join(disk.folder, "hub.db");
    const hub = await HubProcess.launch({ db });
    expect(await hub.exited).toEqual({ code: 1, signal: null });
    expect(hub.output).toMatch(/^coordination-hub: no space is left on the disk of [^\n]+\n$/);
    disk.grow(8);
    const second = await HubProcess.start({ db });
    expect(await send(second, "now")).toMatchObject({ status: 201 });
  });
});

/** The cursor at the log's beginning. */
async function startOf(hub: HubProcess): Promise<string> {
  return (await http(`${hub.url}/events?after=start&limit=1`)).body.data.after;
}
