/** Waiting for a task, racing for it, and what becomes of it when its holder is gone. */
import { type ClientRequest, request } from "node:http";
import { setTimeout } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "vitest";
import type { EventMessage } from "../../../shared/event.ts";
import { LIVENESS } from "../../../shared/presence.ts";
import { ManualClock } from "../../support/clock.ts";
import { http } from "../../support/http.ts";
import { startHub, type TestHub } from "../../support/hub.ts";
import { RawSocket } from "../../support/rawSocket.ts";
import { HeldStore } from "./heldStore.ts";
import { pass } from "./pass.ts";

const WAIT_MS = 50_000;
const { lease_grace_ms: GRACE, reconnect_spread_ms: SPREAD, detached_lease_ms: DETACHED } = LIVENESS;

let clock: ManualClock;
let hub: TestHub;
let ada: RawSocket;

beforeEach(async () => {
  clock = new ManualClock();
  hub = await startHub({ clock });
  ada = await RawSocket.greet(hub.wsUrl, { claude_id: "ada" });
});

const send = async (fields: object = {}): Promise<EventMessage> =>
  (await ada.call("send", { to_claude: "bob", task: "t", ...fields })).message;
const worker = (run: string, claude_id = "bob") => RawSocket.greet(hub.wsUrl, { claude_id, run });

/** Asks for a task and waits in line: resolves once the hub has read the question, with the answer to come. */
async function inLine(socket: RawSocket, params: object = {}) {
  const answer = socket.call("claim_next", { wait_ms: WAIT_MS, ...params });
  await socket.call("stats", {}); // asked later, on the same socket
  return { answer };
}

/** A caller over REST that may hang up. */
function restCaller(params: object, headers: Record<string, string> = {}): ClientRequest {
  const asked = request(`${hub.url}/claim`, {
    method: "POST",
    agent: false,
    headers: { "content-type": "application/json", ...headers },
  });
  asked.on("error", () => {}).end(JSON.stringify({ for_claude: "bob", wait_ms: WAIT_MS, ...params }));
  return asked;
}

describe("whoever waits for a task", () => {
  test("gets it when it comes, over a socket and over REST", async () => {
    const bob = await worker("r1");
    const { answer } = await inLine(bob);
    const first = await send();
    expect(await answer).toMatchObject({ id: first.id, status: "in_progress", claimed_by: "bob", attempt: 1 });
    const rest = http(`${hub.url}/claim`, { method: "POST", body: { for_claude: "bob", wait_ms: WAIT_MS } });
    await http(`${hub.url}/stats`);
    const second = await send();
    expect((await rest).body.data).toMatchObject({ id: second.id, status: "in_progress" });
  });

  test("gets one that is there at once", async () => {
    const { id } = await send();
    expect(await (await worker("r1")).call("claim_next", { wait_ms: WAIT_MS })).toMatchObject({ id });
  });

  test("gets nothing of a chat, of another's task, or of one that is not ready", async () => {
    const { answer } = await inLine(await worker("r1"));
    await send({ type: "chat" });
    await send({ to_claude: "cyd" });
    const later = await send({ not_before: new Date(clock.now() + 10_000).toISOString() });
    await pass(clock, 9_999);
    await ada.call("stats", {});
    await pass(clock, 1);
    expect(await answer).toMatchObject({ id: later.id });
  });

  test("gets nothing once its time is over", async () => {
    const { answer } = await inLine(await worker("r1"));
    await pass(clock, WAIT_MS);
    expect(await answer).toBeNull();
    const { id } = await send();
    expect(await ada.call("get", { id })).toMatchObject({ status: "pending" });
  });

  test("gets it in the order in which all came", async () => {
    const workers = await Promise.all(Array.from({ length: 6 }, (_, i) => worker(`r${i}`)));
    const order: number[] = [];
    const answers = [];
    for (const [i, socket] of workers.entries()) {
      const { answer } = await inLine(socket);
      answers.push(answer.then(() => order.push(i)));
    }
    for (const _ of workers) await send();
    await Promise.all(answers);
    expect(order).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("keeps its place when a task that it was called for is taken by another", async () => {
    const [first, second] = [await inLine(await worker("r1")), await inLine(await worker("r2"))];
    const params = { to_claude: "bob", task: "snatched" };
    ada.send([
      { jsonrpc: "2.0", id: "sent", method: "send", params },
      { jsonrpc: "2.0", id: "snatched", method: "claim_next", params: { for_claude: "bob" } },
    ]);
    expect((await ada.answer("snatched")).result).toMatchObject({ task: "snatched" });
    const { id } = await send();
    expect(await first.answer).toMatchObject({ id });
    await pass(clock, WAIT_MS);
    expect(await second.answer).toBeNull();
  });

  test("leaves its place to the next when it hangs up", async () => {
    const gone = await worker("r1");
    (await inLine(gone)).answer.catch(() => {});
    const bare = restCaller({});
    await http(`${hub.url}/stats`);
    const next = await inLine(await worker("r2"));
    gone.ws.terminate();
    bare.destroy();
    while ((await http(`${hub.url}/presence/bob`)).body.data.instances[0].connections.length > 1) await setTimeout(1);
    const { id } = await send();
    expect(await next.answer).toMatchObject({ id });
  });
});

describe("fifty claimers of one task (I6)", () => {
  const FIFTY = Array.from({ length: 50 }, (_, i) => `r${i}`);
  const claimed = () => ada.events.filter(({ kind }) => kind === "claimed");

  test("by its id: one gets it", async () => {
    const workers = await Promise.all(FIFTY.map((run) => worker(run)));
    const { id } = await send();
    const answers = await Promise.all(
      workers.map((socket) => socket.call("claim", { id }).catch((error) => error.code)),
    );
    const won = answers.filter((answer) => typeof answer === "object");
    expect(won).toMatchObject([{ id, attempt: 1 }]);
    expect(new Set(answers.filter((answer) => answer !== won[0]))).toEqual(new Set(["wrong_status"]));
    await ada.event("claimed", id);
    expect(claimed()).toHaveLength(1);
  });

  test("by asking for the next one, on both transports: one gets it, the others nothing", async () => {
    const { id } = await send();
    const rest = FIFTY.slice(25).map((run) =>
      http(`${hub.url}/claim`, { method: "POST", headers: { "x-claude-id": "bob", "x-claude-run": run } }),
    );
    const sockets = await Promise.all(FIFTY.slice(0, 25).map((run) => worker(run)));
    const answers = [
      ...(await Promise.all(sockets.map((socket) => socket.call("claim_next", {})))),
      ...(await Promise.all(rest)).map(({ body }) => body.data),
    ];
    expect(answers.filter((answer) => answer !== null)).toMatchObject([{ id }]);
    expect(answers).toHaveLength(50);
  });

  test("by waiting for it: one gets it, and each of the next goes to one other", async () => {
    const workers = await Promise.all(FIFTY.map((run) => worker(run)));
    const lines = await Promise.all(workers.map((socket) => inLine(socket)));
    const sent = [];
    for (let i = 0; i < 20; i++) sent.push((await send()).id);
    const got = lines.map(({ answer }) => answer);
    await ada.until("20 claims", () => claimed().length === 20);
    await pass(clock, WAIT_MS);
    const ids = (await Promise.all(got)).flatMap((message) => message?.id ?? []);
    expect(ids.sort()).toEqual(sent.sort());
  });
});

describe("an answer that is lost", () => {
  test("is given again to the same key, also while others wait", async () => {
    const { id } = await send();
    const bob = await worker("r1");
    const first = await bob.call("claim_next", { claim_key: "k1", wait_ms: WAIT_MS });
    expect(first).toMatchObject({ id, attempt: 1 });
    const other = await inLine(await worker("r2"));
    const again = await worker("r1");
    expect(await again.call("claim_next", { claim_key: "k1" })).toMatchObject({ id, attempt: 1 });
    expect(await again.call("claim_next", { claim_key: "k1", wait_ms: WAIT_MS })).toMatchObject({ id, attempt: 1 });
    await pass(clock, WAIT_MS);
    expect(await other.answer).toBeNull();
  });

  /** A task is claimed over REST while its caller hangs up. @returns what was told of it. */
  async function claimAndHangUp(headers: Record<string, string>): Promise<string[]> {
    const store = new HeldStore();
    hub = await startHub({ store });
    ada = await RawSocket.greet(hub.wsUrl, { claude_id: "ada" });
    const { id } = await send();
    const release = store.hold();
    const asked = restCaller({ wait_ms: 0, claim_key: "k1" }, headers);
    await http(`${hub.url}/stats`); // by now it has been read
    asked.destroy();
    for (let i = 0; i < 3; i++) await http(`${hub.url}/stats`); // and its end noticed
    release();
    await ada.event("claimed", id);
    await http(`${hub.url}/readyz`); // a commit after whatever follows
    return ada.events.map(({ kind }) => kind);
  }

  test("to a caller without a run gives the task back: it could not ask again", async () => {
    expect(await claimAndHangUp({ "x-claude-id": "bob" })).toEqual(["new", "claimed", "released"]);
    expect(await (await worker("r1")).call("claim_next", {})).toMatchObject({ attempt: 2, tries_left: 2 });
  });

  test("to a run does not: it asks again", async () => {
    const headers = { "x-claude-id": "bob", "x-claude-run": "r1" };
    expect(await claimAndHangUp(headers)).toEqual(["new", "claimed"]);
    const body = { for_claude: "bob", claim_key: "k1" };
    const again = await http(`${hub.url}/claim`, { method: "POST", headers, body });
    expect(again.body.data).toMatchObject({ task: "t", attempt: 1 });
  });
});

describe("a run that is gone", () => {
  test("loses its task after a while, which rests and is ready again; what it says then is refused", async () => {
    const { id } = await send({ max_attempts: 2 });
    const bob = await worker("r1");
    await bob.call("claim", { id });
    bob.ws.terminate();
    await gone("bob");
    await pass(clock, GRACE - 1);
    expect(await ada.call("get", { id })).toMatchObject({ status: "in_progress" });
    await pass(clock, 1);
    const requeued = await ada.event("requeued", id);
    expect(requeued.message).toMatchObject({ status: "pending", attempt: 1, tries_left: 1, error: "bob was gone" });
    const rest = Date.parse(requeued.message.not_before as string) - clock.now();
    expect(rest).toBeGreaterThanOrEqual(2_500);
    expect(rest).toBeLessThanOrEqual(5_000);
    await expect(ada.call("claim", { id })).rejects.toMatchObject({ code: "not_ready" });
    const next = await inLine(await worker("r2"));
    await pass(clock, rest);
    await ada.event("ready", id);
    expect(await next.answer).toMatchObject({ id, attempt: 2, tries_left: 0 });
    const late = await worker("r1");
    await expect(late.call("complete", { id, attempt: 1, result: "late" })).rejects.toMatchObject({
      code: "lease_lost",
    });
  });

  test("keeps its task when it comes back in time, and until then may be slow", async () => {
    const { id } = await send();
    const bob = await worker("r1");
    await bob.call("claim", { id });
    for (let i = 0; i < 3; i++) {
      bob.ws.terminate();
      await gone("bob");
      await pass(clock, GRACE - 1_000);
      const back = await worker("r1");
      await pass(clock, 2_000); // beyond the first grace
      await back.call("stats", {});
      expect(await ada.call("get", { id })).toMatchObject({ status: "in_progress", attempt: 1 });
      back.ws.terminate();
      await gone("bob");
    }
    const back = await worker("r1");
    expect(await back.call("complete", { id, attempt: 1, result: "slow" })).toMatchObject({ status: "complete" });
  });

  test("is not replaced by another run of its name", async () => {
    const { id } = await send();
    const bob = await worker("r1");
    await bob.call("claim", { id });
    const other = await worker("r2");
    bob.ws.terminate();
    while ((await http(`${hub.url}/presence/bob`)).body.data.instances[0].connections.length > 1) await setTimeout(1);
    await expect(other.call("complete", { id, attempt: 1 })).rejects.toMatchObject({ code: "lease_lost" });
    await pass(clock, GRACE);
    await ada.event("requeued", id);
  });

  test("before its claim was even answered holds it no longer than any other", async () => {
    const { id } = await send();
    const bob = await worker("r1");
    bob.send({ jsonrpc: "2.0", id: "c", method: "claim", params: { id } });
    bob.ws.close();
    await gone("bob");
    await ada.event("claimed", id);
    await pass(clock, GRACE);
    await ada.event("requeued", id);
  });

  test("while the hub restarts has the time of a reconnect more", async () => {
    const [kept, lost] = [await send(), await send()];
    const [bob, cyd] = [await worker("r1"), await worker("r2")];
    await bob.call("claim", { id: kept.id });
    await cyd.call("claim", { id: lost.id });
    await hub.close();
    clock.advance(3_600_000);
    hub = await startHub({ clock, db: hub.db });
    ada = await RawSocket.greet(hub.wsUrl, { claude_id: "ada" });
    await pass(clock, SPREAD + GRACE - 1);
    const back = await worker("r1");
    await back.call("stats", {});
    await pass(clock, 1);
    await ada.event("requeued", lost.id);
    expect(await back.call("complete", { id: kept.id, attempt: 1 })).toMatchObject({ status: "complete" });
  });

  test("and never was one: a claim without a run lasts half an hour from the last heartbeat of its name", async () => {
    const { id } = await send();
    await ada.close(); // a socket would want its pings
    await http(`${hub.url}/message/${id}`, { method: "PUT", body: { status: "in_progress" } });
    const status = async () => (await http(`${hub.url}/message/${id}`)).body.data.status;
    clock.advance(DETACHED - 1_000);
    await http(`${hub.url}/heartbeat`, { method: "POST", body: { claude_id: "bob" } });
    clock.advance(DETACHED - 1);
    await http(`${hub.url}/readyz`); // a commit after whatever was due
    expect(await status()).toBe("in_progress");
    clock.advance(1);
    while ((await status()) !== "pending") await setTimeout(1);
  });
});

/** Waits until the hub has noticed that a name has no connection. */
async function gone(name: string): Promise<void> {
  const connections = async () => (await http(`${hub.url}/presence/${name}`)).body.data.instances[0].connections;
  while ((await connections()).length > 0) await setTimeout(1);
}
