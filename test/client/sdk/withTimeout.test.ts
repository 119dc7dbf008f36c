import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { withTimeout } from "../../../client/sdk/withTimeout.ts";
import { ManualClock } from "../../support/clock.ts";

const aborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(new Error("broken off"))));

it("ends what takes longer, also after garbage was collected", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const waiting = Array.from({ length: 20 }, () => withTimeout(20, new AbortController().signal, aborted));
  const ended = Promise.allSettled(waiting);
  collect();
  const reasons = (await ended).map((outcome) => outcome.status === "rejected" && outcome.reason.name);
  expect(new Set(reasons)).toEqual(new Set(["TimeoutError"]));
});

it("ends with the signal that it follows, also one that is over already", async () => {
  const over = new AbortController();
  const waiting = withTimeout(60_000, over.signal, aborted);
  over.abort("interrupted");
  await expect(waiting).rejects.toBe("interrupted");
  await expect(withTimeout(60_000, over.signal, async (signal) => signal.throwIfAborted())).rejects.toBe("interrupted");
});

it("leaves nothing behind", async () => {
  const clock = new ManualClock();
  const follows = new AbortController();
  expect(
    await withTimeout(
      1_000,
      follows.signal,
      async () => "done",
      (ms, run) => clock.after(ms, run),
    ),
  ).toBe("done");
  await expect(withTimeout(1_000, follows.signal, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(clock.armed).toBe(0);
});
