/** Calls that are not repeated unseen, while we ourselves open the line anew. */
import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { ConnectOptions } from "../../../../client/sdk/index.ts";
import { ManualClock } from "../../../support/clock.ts";
import { startHub } from "../../../support/hub.ts";
import { Heard, join, later, startProxied } from "../support.ts";

/** A hub with a task that can be brought back. */
async function setUp(url: string) {
  const ada = await join(url, { as: "ada" });
  const { cursor } = await ada.list();
  const { id } = await ada.send({ to_claude: "carol", task: "cancelled" });
  await ada.cancel({ id });
  return { ada, cursor: cursor as string, id };
}

/** Joins, and asks for the task to be brought back; that is under way. */
async function retry(url: string, id: string, options: ConnectOptions) {
  const bob = await join(url, { as: "bob", ...options });
  const worker = options.resume === undefined ? bob.work(() => {}) : undefined;
  await bob.stats(); // so that a worker's question is at the hub
  const retried = later(bob.retry({ id }));
  await setImmediate();
  return { bob, worker, retried };
}

describe.each(["websocket", "long_poll"] as const)("a retry that is under way over %s is answered", (transport) => {
  it("although a worker closes meanwhile", async () => {
    const { url } = await startHub();
    const { id } = await setUp(url);
    const { worker, retried } = await retry(url, id, { transport });
    const closed = worker?.close();
    expect(await retried).toMatchObject({ id, status: "pending" });
    await closed;
  });

  it("although the first who listens has the line go on from `resume`", async () => {
    const { url } = await startHub();
    const { ada, cursor, id } = await setUp(url);
    for (const text of ["one", "two"]) await ada.chat("bob", text);
    const { bob, retried } = await retry(url, id, { transport, resume: cursor });
    const heard = new Heard(bob, "new");
    expect(await retried).toMatchObject({ id, status: "pending" });
    expect((await heard.count(2)).map(({ message }) => message.task)).toEqual(["one", "two"]);
  });
});

it("a closing worker does not wait for ever for a retry that is not answered", async () => {
  const clock = new ManualClock();
  const { proxy, url } = await startProxied();
  const { id } = await setUp(url);
  const bob = await join(url, { as: "bob", transport: "websocket", clock });
  const worker = bob.work(() => {});
  await bob.stats();
  proxy.blackHole();
  const retried = later(bob.retry({ id }));
  await setImmediate();
  const closed = worker.close();
  clock.advance(5_000);
  await expect(retried).rejects.toMatchObject({ code: "connection_lost", retryable: false });
  proxy.resume();
  clock.advance(2_000);
  await closed;
});
