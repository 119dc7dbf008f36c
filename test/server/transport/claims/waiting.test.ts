/** Waiting for a task and racing for it: one gets it, in the order in which all came, and nobody in vain. */
import { type ClientRequest, request } from "node:http";
import { beforeEach, describe, expect, test } from "vitest";
import { http } from "../../../support/http.ts";
import type { RawSocket } from "../../../support/rawSocket.ts";
import { HeldStore } from "../heldStore.ts";
import { Scene } from "./scene.ts";

const WAIT_MS = 50_000;

let scene: Scene;
beforeEach(async () => {
  scene = await Scene.start();
});

/** Asks for a task and waits in line: resolves once the hub has read the question, with the answer to come. */
async function inLine(socket: RawSocket, params: object = {}) {
  const answer = socket.call("claim_next", { wait_ms: WAIT_MS, ...params });
  await socket.call("stats", {}); // asked later, on the same socket
  return { answer };
}

/** A caller over REST that may hang up. */
function restCaller(params: object, headers: Record<string, string> = {}): ClientRequest {
  const asked = request(`${scene.hub.url}/claim`, {
    method: "POST",
    agent: false,
    headers: { "content-type": "application/json", ...headers },
  });
  asked.on("error", () => {}).end(JSON.stringify({ for_claude: "bob", wait_ms: WAIT_MS, ...params }));
  return asked;
}

describe("whoever waits for a task", () => {
  test("gets it when it comes, over a socket and over REST", async () => {
    const bob = await scene.worker("r1");
    const { answer } = await inLine(bob);
    const first = await scene.send();
    expect(await answer).toMatchObject({ id: first.id, status: "in_progress", claimed_by: "bob", attempt: 1 });
    const rest = http(`${scene.hub.url}/claim`, { method: "POST", body: { for_claude: "bob", wait_ms: WAIT_MS } });
    await http(`${scene.hub.url}/stats`);
    const second = await scene.send();
    expect((await rest).body.data).toMatchObject({ id: second.id, status: "in_progress" });
  });

  test("gets one that is there at once", async () => {
    const { id } = await scene.send();
    expect(await (await scene.worker("r1")).call("claim_next", { wait_ms: WAIT_MS })).toMatchObject({ id });
  });

  test("gets nothing of a chat, of another's task, or of one that is not ready", async () => {
    const { answer } = await inLine(await scene.worker("r1"));
    await scene.send({ type: "chat" });
    await scene.send({ to_claude: "cyd" });
    const later = await scene.send({ not_before: new Date(scene.clock.now() + 10_000).toISOString() });
    await scene.pass(9_999);
    await scene.ada.call("stats", {});
    await scene.pass(1);
    expect(await answer).toMatchObject({ id: later.id });
  });

  test("gets nothing once its time is over", async () => {
    const { answer } = await inLine(await scene.worker("r1"));
    await scene.pass(WAIT_MS);
    expect(await answer).toBeNull();
    const { id } = await scene.send();
    expect(await scene.look(id)).toMatchObject({ status: "pending" });
  });

  test("gets it in the order in which all came", async () => {
    const workers = await Promise.all(Array.from({ length: 6 }, (_, i) => scene.worker(`r${i}`)));
    const order: number[] = [];
    const answers = [];
    for (const [i, socket] of workers.entries()) {
      const { answer } = await inLine(socket);
      answers.push(answer.then(() => order.push(i)));
    }
    for (const _ of workers) await scene.send();
    await Promise.all(answers);
    expect(order).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("keeps its place when a task that it was called for is taken by another", async () => {
    const [first, second] = [await inLine(await scene.worker("r1")), await inLine(await scene.worker("r2"))];
    const params = { to_claude: "bob", task: "snatched" };
    scene.ada.send([
      { jsonrpc: "2.0", id: "sent", method: "send", params },
      { jsonrpc: "2.0", id: "snatched", method: "claim_next", params: { for_claude: "bob" } },
    ]);
    expect((await scene.ada.answer("snatched")).result).toMatchObject({ task: "snatched" });
    const { id } = await scene.send();
    expect(await first.answer).toMatchObject({ id });
    await scene.pass(WAIT_MS);
    expect(await second.answer).toBeNull();
  });

  test("gets it when the first that was called is refused", async () => {
    const store = new HeldStore();
    scene = await Scene.start({ store });
    const [first, second] = [await inLine(await scene.worker("r1")), await inLine(await scene.worker("r2"))];
    store.isFullFor = (asked) => asked.op === "claim_next" && asked.caller.run === "r1";
    const refusal = expect(first.answer).rejects.toMatchObject({ code: "storage_full" });
    const { id } = await scene.send();
    await refusal;
    expect(await second.answer).toMatchObject({ id });
  });

  test("leaves its place to the next when it hangs up", async () => {
    const gone = await scene.worker("r1");
    (await inLine(gone)).answer.catch(() => {});
    const bare = restCaller({});
    await http(`${scene.hub.url}/stats`);
    const next = await inLine(await scene.worker("r2"));
    gone.ws.terminate();
    bare.destroy();
    await scene.connections(1);
    const { id } = await scene.send();
    expect(await next.answer).toMatchObject({ id });
  });
});

describe("what arrives late over a socket that its run gave up", () => {
  const ASKED = { claim_key: "k1" };

  test("takes no task for a key that is used up", async () => {
    const [old, young] = [await scene.worker("r1"), await scene.worker("r1")];
    const first = await scene.send();
    const attempt = (await young.call("claim_next", ASKED))?.attempt;
    await young.call("complete", { id: first.id, attempt });
    const next = await scene.send();
    expect(await old.call("claim_next", ASKED)).toBeNull();
    expect(await scene.look(next.id)).toMatchObject({ status: "pending" });
  });

  test("takes nobody's place in line", async () => {
    const [old, young] = [await scene.worker("r1"), await scene.worker("r1")];
    const { answer } = await inLine(young, ASKED);
    expect(await old.call("claim_next", { wait_ms: WAIT_MS, ...ASKED })).toBeNull();
    const { id } = await scene.send();
    expect(await answer).toMatchObject({ id });
  });
});

describe("whoever waits with a key", () => {
  let store: HeldStore;
  beforeEach(async () => {
    store = new HeldStore();
    scene = await Scene.start({ store });
  });

  test("is given a task by the commit that sends it; nobody else is called for it", async () => {
    const first = await inLine(await scene.worker("r1"), { claim_key: "k1" });
    const second = await inLine(await scene.worker("r2"), { claim_key: "k2" });
    const { id } = await scene.send();
    expect(await first.answer).toMatchObject({ id, claimed_by: "bob", attempt: 1 });
    expect(store.batches.at(-1)).toEqual(["send", "claim_next"]);
    await scene.pass(WAIT_MS);
    expect(await second.answer).toBeNull();
    expect(store.batches.flat().filter((op) => op === "claim_next")).toHaveLength(3); // both tried once at first
  });

  test("waits on when what was sent is not for it, or refused", async () => {
    const { answer } = await inLine(await scene.worker("r1"), { claim_key: "k1" });
    const before = await scene.send({ to_claude: "cyd" });
    await scene.send({ type: "chat" });
    await scene.send({ after: [before.id] });
    await expect(scene.send({ after: ["nothing"] })).rejects.toMatchObject({ code: "not_found" });
    const { id } = await scene.send();
    expect(await answer).toMatchObject({ id });
  });

  test("asks again when that commit seemed to fail, and has what it was given", async () => {
    const worker = await scene.worker("r1");
    const { answer } = await inLine(worker, { claim_key: "k1" });
    store.loseAnswer("send");
    await expect(scene.send({ idempotency_key: "s1" })).rejects.toMatchObject({ code: "storage_unavailable" });
    await expect(answer).rejects.toMatchObject({ code: "storage_unavailable", retryable: true });
    const { id } = await scene.send({ idempotency_key: "s1" });
    const again = await worker.call("claim_next", { claim_key: "k1" });
    expect(again).toMatchObject({ id, status: "in_progress", attempt: 1 });
  });
});

test("a task whose send seemed to fail is told of, and given to whoever waits, once its sender repeats it", async () => {
  const store = new HeldStore();
  scene = await Scene.start({ store });
  const { answer } = await inLine(await scene.worker("r1"));
  store.loseAnswer("send");
  const key = { idempotency_key: "k1" };
  await expect(scene.send(key)).rejects.toMatchObject({ code: "storage_unavailable" });
  const { id } = await scene.send(key);
  expect(await answer).toMatchObject({ id, attempt: 1 });
  await scene.ada.event("new", id);
});

test("what a commit wrote that seemed to fail is told soon, and its time is watched, though nothing else happens", async () => {
  const store = new HeldStore();
  scene = await Scene.start({ store });
  const { answer } = await inLine(await scene.worker("r1"));
  const expires = () => new Date(scene.clock.now() + 5_000).toISOString();
  store.loseAnswer("send");
  await expect(scene.send({ to_claude: "cyd", expires_at: expires() })).rejects.toMatchObject({ retryable: true });
  await scene.pass(1_000);
  const [told] = await scene.ada.eventsUntil(1);
  const id = told?.message.id as string;
  await scene.pass(4_000);
  await scene.ada.event("failed", id);
  store.loseAnswer("send");
  await expect(scene.send({ task: "for bob" })).rejects.toMatchObject({ retryable: true });
  await scene.pass(1_000);
  expect(await answer).toMatchObject({ task: "for bob", attempt: 1 });
});

describe("fifty claimers of one task (I6)", () => {
  const FIFTY = Array.from({ length: 50 }, (_, i) => `r${i}`);
  const claimed = () => scene.ada.events.filter(({ kind }) => kind === "claimed");

  test("by its id: one gets it", async () => {
    const workers = await Promise.all(FIFTY.map((run) => scene.worker(run)));
    const { id } = await scene.send();
    const answers = await Promise.all(
      workers.map((socket) => socket.call("claim", { id }).catch((error) => error.code)),
    );
    const won = answers.filter((answer) => typeof answer === "object");
    expect(won).toMatchObject([{ id, attempt: 1 }]);
    expect(new Set(answers.filter((answer) => answer !== won[0]))).toEqual(new Set(["wrong_status"]));
    await scene.ada.event("claimed", id);
    expect(claimed()).toHaveLength(1);
  });

  test("by asking for the next one, on both transports: one gets it, the others nothing", async () => {
    const { id } = await scene.send();
    const rest = FIFTY.slice(25).map((run) =>
      http(`${scene.hub.url}/claim`, { method: "POST", headers: { "x-claude-id": "bob", "x-claude-run": run } }),
    );
    const sockets = await Promise.all(FIFTY.slice(0, 25).map((run) => scene.worker(run)));
    const answers = [
      ...(await Promise.all(sockets.map((socket) => socket.call("claim_next", {})))),
      ...(await Promise.all(rest)).map(({ body }) => body.data),
    ];
    expect(answers.filter((answer) => answer !== null)).toMatchObject([{ id }]);
    expect(answers).toHaveLength(50);
  });

  test("by waiting for it: one gets it, and each of the next goes to one other", async () => {
    const workers = await Promise.all(FIFTY.map((run) => scene.worker(run)));
    const lines = await Promise.all(workers.map((socket) => inLine(socket)));
    const sent = [];
    for (let i = 0; i < 20; i++) sent.push((await scene.send()).id);
    const got = lines.map(({ answer }) => answer);
    await scene.ada.until("20 claims", () => claimed().length === 20);
    await scene.pass(WAIT_MS);
    const ids = (await Promise.all(got)).flatMap((message) => message?.id ?? []);
    expect(ids.sort()).toEqual(sent.sort());
  });
});

describe("an answer that is lost", () => {
  test("is given again to the same key, also while others wait", async () => {
    const { id } = await scene.send();
    const bob = await scene.worker("r1");
    const first = await bob.call("claim_next", { claim_key: "k1", wait_ms: WAIT_MS });
    expect(first).toMatchObject({ id, attempt: 1 });
    const other = await inLine(await scene.worker("r2"));
    const again = await scene.worker("r1");
    expect(await again.call("claim_next", { claim_key: "k1" })).toMatchObject({ id, attempt: 1 });
    expect(await again.call("claim_next", { claim_key: "k1", wait_ms: WAIT_MS })).toMatchObject({ id, attempt: 1 });
    await scene.pass(WAIT_MS);
    expect(await other.answer).toBeNull();
  });

  test("that is still to come goes to where it was asked for last", async () => {
    const params = { claim_key: "k1" };
    const before = await inLine(await scene.worker("r1"), params);
    const now = await inLine(await scene.worker("r1"), params);
    const { id } = await scene.send();
    expect(await now.answer).toMatchObject({ id, attempt: 1 });
    expect(await before.answer).toBeNull();
  });

  /**
   * A task is claimed over REST while its caller hangs up.
   *
   * @param meanwhile is called before the claim is written.
   * @returns what was told of it.
   */
  async function claimAndHangUp(
    headers: Record<string, string>,
    store = new HeldStore(),
    meanwhile = () => {},
    params: object = { claim_key: "k1" },
  ): Promise<string[]> {
    scene = await Scene.start({ store });
    const { id } = await scene.send();
    const release = store.hold();
    const asked = restCaller({ wait_ms: 0, ...params }, headers);
    await http(`${scene.hub.url}/stats`); // by now it has been read
    asked.destroy();
    for (let i = 0; i < 3; i++) await http(`${scene.hub.url}/stats`); // and its end noticed
    meanwhile();
    for (let i = 0; i < 3; i++) await http(`${scene.hub.url}/stats`);
    release();
    await scene.ada.event("claimed", id);
    await scene.committed();
    return scene.ada.events.map(({ kind }) => kind);
  }

  test("to a caller without a run gives the task back: it could not ask again", async () => {
    expect(await claimAndHangUp({ "x-claude-id": "bob" })).toEqual(["new", "claimed", "released"]);
    expect(await (await scene.worker("r1")).call("claim_next", {})).toMatchObject({ attempt: 2, tries_left: 2 });
  });

  test("gives it back as soon as the store can be written", async () => {
    const store = new HeldStore();
    store.isFullFor = (asked) => asked.op === "change" && asked.command.op === "release";
    expect(await claimAndHangUp({ "x-claude-id": "bob" }, store)).toEqual(["new", "claimed"]);
    expect(store.refused).toHaveLength(1);
    store.isFullFor = () => false;
    await scene.pass(1_000);
    expect(await (await scene.worker("r1")).call("claim_next", {})).toMatchObject({ attempt: 2, tries_left: 2 });
  });

  test.each([
    ["while the claim was under way", 0],
    ["before the store could be written", 1],
  ])("does not give it back once it was asked for again %s", async (_, refusals) => {
    const store = new HeldStore();
    const headers = { "x-claude-id": "bob" };
    const body = { for_claude: "bob", claim_key: "k1" };
    const askAgain = () => http(`${scene.hub.url}/claim`, { method: "POST", headers, body });
    store.isFullFor = (asked) => asked.op === "change" && asked.command.op === "release";
    let again: ReturnType<typeof askAgain> | undefined;
    expect(await claimAndHangUp(headers, store, refusals === 0 ? () => (again = askAgain()) : undefined)).toEqual([
      "new",
      "claimed",
    ]);
    expect(store.refused).toHaveLength(refusals);
    expect((await (again ?? askAgain())).body.data).toMatchObject({ attempt: 1, status: "in_progress" });
    store.isFullFor = () => false;
    await scene.pass(1_000);
    expect(await scene.ada.call("claim_next", { for_claude: "bob" })).toBeNull();
  });

  test("to a run that gave no key gives it back, too", async () => {
    const headers = { "x-claude-id": "bob", "x-claude-run": "r1" };
    expect(await claimAndHangUp(headers, undefined, undefined, {})).toEqual(["new", "claimed", "released"]);
    expect(await (await scene.worker("r1")).call("claim_next", {})).toMatchObject({ attempt: 2, tries_left: 2 });
  });

  test("to a run that gave a key does not: it asks again", async () => {
    const headers = { "x-claude-id": "bob", "x-claude-run": "r1" };
    expect(await claimAndHangUp(headers)).toEqual(["new", "claimed"]);
    const body = { for_claude: "bob", claim_key: "k1" };
    const again = await http(`${scene.hub.url}/claim`, { method: "POST", headers, body });
    expect(again.body.data).toMatchObject({ task: "t", attempt: 1 });
  });
});
