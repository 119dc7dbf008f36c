/** What is asked for many times in one turn of the event loop is done once. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { OncePerTurn } from "../../../server/hub/oncePerTurn.ts";
import { LEASES } from "../../../shared/defaults.ts";
import { ManualClock } from "../../support/clock.ts";
import { startHub } from "../../support/hub.ts";
import { RawSocket } from "../../support/rawSocket.ts";
import { rpc } from "../transport/socket/rpc.ts";

test("calls for the same thing share one a turn", async () => {
  const calls = new OncePerTurn<string, number>();
  let begun = 0;
  const call = (key: string) => calls.call(key, async () => ++begun);
  expect(await Promise.all([call("a"), call("b"), call("a")])).toEqual([1, 2, 1]);
  await nextTurn();
  expect(await call("a")).toBe(3);
});

test("a refusal is everybody's, and is not remembered", async () => {
  const calls = new OncePerTurn<string, string>();
  const refused = () => Promise.reject(new Error("busy"));
  const asked = [calls.call("a", refused), calls.call("a", refused)];
  for (const one of asked) await expect(one).rejects.toThrow("busy");
  await nextTurn();
  expect(await calls.call("a", async () => "done")).toBe("done");
});

test("heartbeats in one frame lengthen the claims of every name among them", async () => {
  const clock = new ManualClock();
  const { wsUrl } = await startHub({ clock });
  const names = ["ada", "bob"];
  const claimed: string[] = [];
  for (const claude_id of names) {
    const worker = await RawSocket.greet(wsUrl, { claude_id });
    claimed.push((await worker.call("send", { to_claude: claude_id, task: "count" })).message.id);
    await worker.call("claim_next", {});
  }
  clock.advance(1_000);
  const beats = [...names, ...names].map((claude_id, id) => rpc("heartbeat", { claude_id }, `beat ${id}`));
  const socket = await RawSocket.greet(wsUrl);
  socket.send(beats);
  for (const id of beats.keys()) await socket.answer(`beat ${id}`);
  for (const id of claimed) {
    const { lease_until } = await socket.call("get", { id });
    expect(lease_until).toBe(new Date(clock.now() + LEASES.detached_ms).toISOString());
  }
});
