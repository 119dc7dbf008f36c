/** Progress is throttled: a chatty worker costs nobody else, and the newest word is never lost. */
import { expect, test } from "vitest";
import { ProgressThrottle } from "../../../../server/hub/progressThrottle.ts";
import type { Shown } from "../../../../server/store/outcomes.ts";
import { ManualClock } from "../../../support/clock.ts";
import { startHub } from "../../../support/hub.ts";
import { RawSocket } from "../../../support/rawSocket.ts";

function throttle() {
  const clock = new ManualClock(0);
  const written: string[] = [];
  const progress = new ProgressThrottle(clock);
  const report = (id: string, word: string) =>
    progress.report(id, "worker", async () => {
      written.push(word);
      return { ok: true, json: word } satisfies Shown;
    });
  return { clock, written, report };
}

test("of many words within a second the first and the newest are written, and all are answered", async () => {
  const { clock, written, report } = throttle();
  expect(await report("t", "0 %")).toMatchObject({ json: "0 %" });
  const answers = ["10 %", "20 %", "30 %"].map((word) => report("t", word));
  expect(written).toEqual(["0 %"]);
  clock.advance(1_000);
  expect(await Promise.all(answers)).toMatchObject(answers.map(() => ({ json: "30 %" })));
  expect(written).toEqual(["0 %", "30 %"]);
});

test("tasks do not wait for each other, and a quiet one speaks at once again", async () => {
  const { clock, written, report } = throttle();
  await Promise.all([report("t", "a"), report("u", "b")]);
  clock.advance(1_000);
  await report("t", "c");
  expect(written).toEqual(["a", "b", "c"]);
});

test.each([
  ["complete", {}],
  ["update", { status: "complete" }],
] as const)("the last word comes before %s, however soon that is; one after it is refused", async (operation, said) => {
  const hub = await startHub();
  const worker = await RawSocket.greet(hub.wsUrl, { claude_id: "worker", run: "r1" });
  const { message } = await worker.call("send", { to_claude: "worker", task: "count" });
  const { id } = await worker.call("claim", { id: message.id });
  const first = await worker.call("progress", { id, attempt: 1, percent: 10 });
  expect(first.progress).toMatchObject({ percent: 10 });
  const last = worker.call("progress", { id, attempt: 1, percent: 20 });
  const ended = await worker.call(operation, { id, attempt: 1, ...said });
  expect([(await last).progress, ended.progress]).toMatchObject([{ percent: 20 }, { percent: 20 }]);
  const late = worker.call("progress", { id, attempt: 1, percent: 30 }).catch((error) => error.code);
  expect(await worker.call("fail", { id, attempt: 1 }).catch((error) => error.code)).toBe("wrong_status");
  expect(await late).toBe("wrong_status");
  expect((await worker.call("get", { id })).progress).toMatchObject({ percent: 20 });
});

test("the last word of a holder that left out its attempt comes before its end, which names it", async () => {
  const hub = await startHub();
  const worker = await RawSocket.greet(hub.wsUrl, { claude_id: "worker" });
  const { message } = await worker.call("send", { to_claude: "worker", task: "count" });
  const { id } = await worker.call("claim", { id: message.id });
  await worker.call("progress", { id, percent: 10 });
  const last = worker.call("progress", { id, percent: 20 });
  const ended = await worker.call("complete", { id, attempt: 1 });
  expect([(await last).progress, ended.progress]).toMatchObject([{ percent: 20 }, { percent: 20 }]);
});

test("the last word of a holder comes before its sender's cancel", async () => {
  const hub = await startHub();
  const worker = await RawSocket.greet(hub.wsUrl, { claude_id: "worker", run: "r1" });
  const { message } = await worker.call("send", { to_claude: "worker", task: "count" });
  const { id } = await worker.call("claim", { id: message.id });
  await worker.call("progress", { id, attempt: 1, percent: 10 });
  const last = worker.call("progress", { id, attempt: 1, percent: 20 });
  await worker.call("stats", {}); // so that it is at the hub
  const cancelled = await (await RawSocket.greet(hub.wsUrl, { claude_id: "boss" })).call("cancel", { id });
  expect([(await last).progress, cancelled.progress]).toMatchObject([{ percent: 20 }, { percent: 20 }]);
});
