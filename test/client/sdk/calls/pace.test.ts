/** Clients that are put off wait by themselves, and ask again as long as there is time for it. */
import { describe, expect, it } from "vitest";
import { Calls } from "../../../../client/sdk/calls/calls.ts";
import { Postponed, pauseAfter } from "../../../../client/sdk/calls/pace.ts";
import { KeepAlive } from "../../../../client/sdk/connection/keepAlive.ts";
import type { Transport } from "../../../../client/sdk/connection/transports/transport.ts";
import { HubError } from "../../../../shared/index.ts";
import { ManualClock } from "../../../support/clock.ts";
import { startHub } from "../../../support/hub.ts";
import { runInside } from "../../cli/coord.ts";
import { become } from "../../coordinationClient/support.ts";
import { join } from "../support.ts";

/** A window that a test can wait for, and one that it cannot. */
const SHORT = { changes: 4, windowMs: 150, limitsLocal: true };
const LONG = { ...SHORT, windowMs: 600_000 };

describe.each(["websocket", "long_poll"] as const)("the SDK over %s", (transport) => {
  it("sends more than its rate allows, by and by, each once", async () => {
    const { url } = await startHub({ rates: SHORT });
    const ada = await join(url, { as: "ada", transport });
    for (let i = 0; i < 12; i++) await ada.chat("bob", `message ${i}`);
    const { messages } = await ada.list({ to_claude: "bob" });
    expect(messages.map(({ task }) => task)).toEqual(Array.from({ length: 12 }, (_, i) => `message ${i}`));
  });

  it("tells what the hub said when there is no time to wait", async () => {
    const { url } = await startHub({ rates: LONG });
    const ada = await join(url, { as: "ada", transport });
    for (let i = 0; i < SHORT.changes; i++) await ada.chat("bob", "hello");
    await expect(ada.chat("bob", "too much")).rejects.toMatchObject({ code: "rate_limited", retryable: true });
    expect((await ada.list({})).count).toBe(SHORT.changes);
  });

  it("does not wait where nobody knows for how long", async () => {
    const { url } = await startHub({ bounds: { pending_per_recipient: 1 } });
    const ada = await join(url, { as: "ada", transport });
    await ada.send({ to_claude: "bob", task: "one" });
    await expect(ada.send({ to_claude: "bob", task: "two" })).rejects.toMatchObject({ code: "recipient_full" });
  });
});

it("closing waits for calls that are put off", async () => {
  const { url } = await startHub({ rates: { ...SHORT, reads: 0 } });
  const [ada, bob] = [await join(url, { as: "ada" }), await join(url, { as: "bob" })];
  for (let i = 0; i < SHORT.changes; i++) await ada.chat("bob", "hello");
  const last = ada.chat("bob", "the last");
  await ada.close();
  expect(await last).toMatchObject({ message: { task: "the last" } });
  expect((await bob.list({})).count).toBe(SHORT.changes + 1);
});

it("the document's functions wait, within their own time", async () => {
  const { sendTask } = await import("../../../../client/coordinationClient/index.ts");
  const patient = await startHub({ rates: SHORT });
  become(patient.url, "ada");
  const sent = [];
  for (let i = 0; i < 9; i++) sent.push((await sendTask(`task ${i}`)).task);
  expect(sent).toHaveLength(9);
  const busy = await startHub({ rates: { ...LONG, changes: 1 } });
  become(busy.url, "ada");
  await sendTask("one");
  await expect(sendTask("two")).rejects.toMatchObject({ code: "rate_limited" });
});

it("the command waits, within its own time", async () => {
  const patient = await startHub({ rates: { ...SHORT, changes: 1 } });
  const send = (url: string) => runInside(["send", "bob", "hello"], { url, as: "ada" });
  expect([(await send(patient.url)).code, (await send(patient.url)).code]).toEqual([0, 0]);
  const busy = await startHub({ rates: { ...LONG, changes: 1 } });
  await send(busy.url);
  const refused = await send(busy.url);
  expect(refused).toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringMatching(/No more than 1 changes in 600 s/),
  });
});

it("the pause is what the hub names, of refusals of pace only", () => {
  const refusal = (code: HubError["code"], details?: object) => new HubError(code, "no", { ...details });
  expect(pauseAfter(refusal("rate_limited", { retry_after_ms: 1_234 }))).toBe(1_234);
  expect(pauseAfter(refusal("too_many_requests"))).toBe(250);
  expect(pauseAfter(refusal("recipient_full", { retry_after_ms: 1 }))).toBeUndefined();
  expect(pauseAfter(refusal("storage_full"))).toBeUndefined();
  expect(pauseAfter(new Error("rate_limited"))).toBeUndefined();
});

it("what is postponed comes at its time, in order, under one timer", () => {
  const clock = new ManualClock(0);
  const due: string[][] = [];
  const postponed = new Postponed<string>(clock, (items) => due.push(items));
  for (const [item, until] of [
    ["late", 500],
    ["b", 200],
    ["a", 100],
    ["c", 200],
  ] as const) {
    postponed.add(item, until);
    expect(clock.armed).toBe(1);
  }
  clock.advance(200);
  expect(due).toEqual([["a"], ["b", "c"]]);
  postponed.clear();
  expect(clock.armed).toBe(0);
  postponed.add("after that", 700);
  clock.advance(1_000);
  expect(due.at(-1)).toEqual(["after that"]);
});

it("a call that is put off holds no place on its line, and is not made twice when that line is lost", async () => {
  const clock = new ManualClock(0);
  const calls = new Calls(clock, new KeepAlive(), () => {});
  calls.limit = 1;
  const [first, second] = [{} as Transport, {} as Transport];
  const answer = calls.call("send", {}, 10_000);
  calls.take(first);
  calls.failed(1, new HubError("rate_limited", "wait", { retry_after_ms: 1_000 }));
  calls.lineLost(first, "all");
  expect(calls.take(second)).toEqual([]);
  clock.advance(1_000);
  expect(calls.take(second)).toMatchObject([{ id: 1, operation: "send" }]);
  calls.answered(1, "done");
  expect(await answer).toBe("done");
  expect(calls.take(second)).toEqual([]);
});
