import { beforeAll, describe, expect, it } from "vitest";
import { type Hub, HubError, LIMITS } from "../../../../client/sdk/index.ts";
import { OPERATION_NAMES, OPERATIONS } from "../../../../shared/index.ts";
import { startHub, type TestHub } from "../../../support/hub.ts";
import { join } from "../support.ts";

const ON_A_MESSAGE = OPERATION_NAMES.filter((name) => OPERATIONS[name].rest.paths[0].startsWith("/message/"));

/** One suite over both ways to the hub: whoever calls sees no difference. */
describe.each(["websocket", "long_poll"] as const)("every operation over %s", (transport) => {
  let server: TestHub;
  const as = (name: string): Promise<Hub> => join(server.url, { as: name, transport });

  beforeAll(async () => {
    server = await startHub();
  });

  it("send, get, list, delete and stats", async () => {
    const ada = await as("ada");
    const task = await ada.send({ to_claude: "bob", task: "add 2 and 2", context: "whole numbers", priority: "high" });
    expect(task).toMatchObject({ deduplicated: false, recipient: { state: expect.any(String) } });
    expect(task.message).toMatchObject({ from_claude: "ada", to_claude: "bob", type: "task", status: "pending" });
    expect(await ada.get({ id: task.id })).toMatchObject({ id: task.id, context: "whole numbers", priority: "high" });
    const list = await ada.list({ to_claude: "bob", status: "pending" });
    expect(list).toMatchObject({ count: 1, cursor: expect.any(String), messages: [{ id: task.id }] });
    expect(await ada.delete({ id: task.id })).toEqual({ id: task.id, deleted: true });
    await expect(ada.get({ id: task.id })).rejects.toMatchObject({ name: "HubError", code: "not_found" });
    expect(await ada.stats()).toEqual({ total: 0, pending: 0, in_progress: 0, complete: 0, failed: 0 });
  });

  it("claim, complete, fail, release and update", async () => {
    const [ada, bob] = [await as("ada"), await as("bob")];
    const send = async (task: string) => (await ada.send({ to_claude: "bob", task })).id;
    const [done, failed, given] = [await send("one"), await send("two"), await send("three")];
    const { attempt } = await bob.claim({ id: done });
    expect(await bob.complete({ id: done, attempt, result: "4" })).toMatchObject({ status: "complete", result: "4" });
    await bob.claim({ id: failed });
    expect(await bob.fail({ id: failed, attempt: 1, error: "no" })).toMatchObject({ status: "failed", error: "no" });
    const claimed = await bob.claimNext();
    expect(claimed).toMatchObject({ id: given, status: "in_progress", attempt: 1, claimed_by: "bob" });
    expect(await bob.release({ id: given, attempt: 1 })).toMatchObject({ status: "pending" });
    expect(await bob.update({ id: given, status: "complete", result: "x" })).toMatchObject({ status: "complete" });
    expect(await bob.claimNext()).toBeNull();
    await expect(bob.claim({ id: done })).rejects.toMatchObject({ code: "wrong_status" });
  });

  it("calls that no type allows are refused in words", async () => {
    const ada = await as("ada");
    const wrong = (value: unknown) => value as never;
    await expect(ada.get(wrong("x"))).rejects.toThrow(TypeError("get takes its parameters as an object, as { id: … }"));
    await expect(ada.send(wrong("bob"), wrong("x"))).rejects.toThrow(
      TypeError("send takes its parameters as an object, as { to_claude: …, task: … }"),
    );
    await expect(ada.send(wrong({ to: "bob", task: "x" }))).rejects.toThrow(
      'Unknown field: to (did you mean "to_claude"?)',
    );
    expect(() => ada.on(wrong("frob"), () => {})).toThrow(/^on\(\) takes new, claimed, .*, error: frob$/);
    expect(() => ada.on("new", wrong(undefined))).toThrow("on() takes a function: undefined");
    expect(() => ada.work(wrong("x"))).toThrow("work() takes a function: x");
  });

  it("an observer that sends is told how, and sends for whom it names", async () => {
    const nobody = await join(server.url, { transport });
    const sentence = "send needs a sender: connect({ as: NAME }), or from_claude beside to_claude";
    await expect(nobody.send({ to_claude: "bob", task: "x" })).rejects.toThrow(TypeError(sentence));
    await expect(nobody.chat("bob", "x")).rejects.toThrow(TypeError(sentence));
    const { message } = await nobody.send({ from_claude: "ada", to_claude: "bob", task: "x" });
    expect(message).toMatchObject({ from_claude: "ada" });
    await nobody.delete({ id: message.id });
  });

  it("a claim that waits is answered when a task comes", async () => {
    const [ada, bob] = [await as("ada"), await as("bob")];
    const claimed = bob.claimNext({ wait_ms: 15_000 });
    const { id } = await ada.send({ to_claude: "bob", task: "come on" });
    expect(await claimed).toMatchObject({ id, status: "in_progress" });
    await ada.delete({ id });
  });

  it("chat, heartbeat, presence, info and events", async () => {
    const ada = await as("ada");
    const before = await ada.info();
    expect(before).toMatchObject({ name: "coordination-hub", limits: { frame_bytes: LIMITS.frame_bytes } });
    const chat = await ada.chat("bob", "hello", { thread_id: "t1" });
    expect(chat.message).toMatchObject({ type: "chat", thread_id: "t1" });
    const page = await ada.call("events", { after: before.cursor });
    expect(page).toMatchObject({ after: before.cursor, events: [{ kind: "new", message: { id: chat.id } }] });
    expect(await ada.heartbeat({ claude_id: "ada" })).toEqual({ timestamp: expect.any(String), claude_id: "ada" });
    expect((await ada.presence()).instances.map((one) => one.claude_id)).toContain("ada");
    expect(await ada.presence({ claude_id: "ada" })).toMatchObject({ instances: [{ claude_id: "ada" }] });
  });

  it("schedulePut, scheduleGet, scheduleList and scheduleDelete", async () => {
    const ada = await as("ada");
    const message = { to_claude: "bob", task: "look around" };
    const put = await ada.schedulePut({ name: "tick", cron: "0 3 * * *", timezone: "Asia/Kolkata", message });
    expect(put).toMatchObject({ missed: "once", message: { from_claude: "ada", ...message } });
    expect(await ada.scheduleGet({ name: "tick" })).toEqual(put);
    const { upcoming, ...listed } = put;
    expect(await ada.scheduleList()).toEqual({ schedules: [listed], count: 1 });
    expect(await ada.scheduleDelete({ name: "tick" })).toEqual({ name: "tick", deleted: true });
    await expect(ada.scheduleGet({ name: "tick" })).rejects.toMatchObject({ code: "not_found" });
  });

  it("a repeat with a key of the caller's is the same message", async () => {
    const ada = await as("ada");
    const said = { to_claude: "bob", task: "once", idempotency_key: `key-${transport}` };
    const [first, second] = [await ada.send(said), await ada.send(said)];
    expect(second).toMatchObject({ id: first.id, deduplicated: true });
    await expect(ada.send({ ...said, task: "twice" })).rejects.toMatchObject({ code: "idempotency_conflict" });
  });

  it("refuses with the hub's own sentence and code", async () => {
    const ada = await as("ada");
    const unknown = ada.call("list", { too_claude: "bob" } as never);
    await expect(unknown).rejects.toThrow('Unknown field: too_claude (did you mean "to_claude"?)');
    await expect(unknown).rejects.toBeInstanceOf(HubError);
    const long = ada.send({ to_claude: "bob", task: "x".repeat(LIMITS.task_bytes + 1) });
    await expect(long).rejects.toMatchObject({ code: "too_large" });
  });

  it.each(["..", "."])("answers that nothing has the id %s, and does nothing else", async (name) => {
    const ada = await as("ada");
    const { id } = await ada.send({ to_claude: "ada", task: "for whoever asks for the next" });
    const missing = { name: "HubError", code: "not_found", message: "Message not found", details: { id: name } };
    for (const operation of ON_A_MESSAGE) {
      const said = operation === "update" ? { id: name, status: "complete" as const } : { id: name };
      await expect(ada.call(operation, said as never), operation).rejects.toMatchObject(missing);
    }
    const refused = (message: string, details: object) => ({ code: "not_found", message, details });
    await expect(ada.chainLift({ chain_id: name })).rejects.toMatchObject(
      refused("No message belongs to this chain", { chain_id: name }),
    );
    await expect(ada.presence({ claude_id: name })).rejects.toMatchObject(
      refused(`No instance of the name ${name} was ever here`, { claude_id: name }),
    );
    expect(await ada.get({ id })).toMatchObject({ status: "pending" });
    await ada.delete({ id });
  });

  it.each(["..", "."])("keeps no schedule and no template under the name %s, which no path can carry", async (name) => {
    const ada = await as("ada");
    const message = { to_claude: "bob", task: "look around" };
    const sentence = "name must be 1 to 128 of the characters A-Z a-z 0-9 _ . : -, and not only . or ..";
    const refused = { code: "invalid_params", message: sentence, details: { field: "name" } };
    await expect(ada.schedulePut({ name, cron: "0 3 * * *", message })).rejects.toMatchObject(refused);
    await expect(ada.templatePut({ name, message })).rejects.toMatchObject(refused);
    await expect(ada.scheduleGet({ name })).rejects.toMatchObject(refused);
    await expect(ada.scheduleDelete({ name })).rejects.toMatchObject(refused);
    await expect(ada.templateGet({ name })).rejects.toMatchObject(refused);
    await expect(ada.templateDelete({ name })).rejects.toMatchObject(refused);
    const dotted = { name: "...", cron: "0 3 * * *", timezone: "UTC", message };
    expect(await ada.schedulePut(dotted)).toMatchObject({ name: "..." });
    expect(await ada.scheduleDelete({ name: "..." })).toMatchObject({ deleted: true });
  });

  it("fails with a stack that leads to who awaits it", async () => {
    const [ada, bob] = [await as("ada"), await as("bob")];
    const task = await ada.send({ to_claude: "bob", task: "x" });
    await bob.delete({ id: task.id });
    const asked = [
      () => as("b b"),
      () => ada.get({ id: "nope" }),
      () => ada.call("get", { id: "nope" }),
      () => ada.send({ to_claude: "b b", task: "x" }),
      () => ada.chat("bob", ""),
      () => ada.presence({ claude_id: "" }),
      () => task.result(),
      () => task.reached("claimed"),
    ];
    async function asker(ask: () => Promise<unknown>) {
      return await ask();
    }
    for (const ask of asked) {
      const { stack } = (await asker(ask).catch((error: Error) => error)) as Error;
      expect(stack, `${ask}`).toMatch(/^\w+: .*\n.* asker .*operations\.test\.ts/s);
    }
  });

  it("says that an id or a name must not be empty", async () => {
    const ada = await as("ada");
    const empty = { code: "invalid_params", message: "id must not be empty", details: { field: "id" } };
    await expect(ada.get({ id: "" })).rejects.toMatchObject(empty);
    await expect(ada.claim({ id: "" })).rejects.toMatchObject(empty);
    await expect(ada.chainLift({ chain_id: "" })).rejects.toThrow("chain_id must not be empty");
    await expect(ada.scheduleGet({ name: "" })).rejects.toThrow(/^name must be 1 to 128 of the characters/);
    await expect(ada.presence({ claude_id: "" })).rejects.toThrow(/^claude_id must be 1 to 128 of the characters/);
    const unlike = ada.call("update", { id: "..", status: "done" } as never);
    await expect(unlike).rejects.toThrow("Invalid status. Must be one of: pending, in_progress, complete, failed");
  });

  it("carries the largest legal text unchanged, there and back", async () => {
    const ada = await as("ada");
    const task = "\u0001".repeat(Math.floor(LIMITS.task_bytes / 6));
    const context = "ü€😀".repeat(Math.floor(LIMITS.context_bytes / 9));
    const { id } = await ada.send({ to_claude: "bob", task, context });
    expect(await ada.get({ id })).toMatchObject({ task, context });
    await ada.delete({ id });
  });
});
