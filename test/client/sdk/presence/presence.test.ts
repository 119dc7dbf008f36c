import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { PresenceWatch } from "../../../../client/sdk/presence/presenceWatch.ts";
import type { Presence } from "../../../../shared/index.ts";
import { crowd } from "../../../support/crowd.ts";
import { startHub } from "../../../support/hub.ts";
import { Heard, join, startProxied } from "../support.ts";

describe.each(["websocket", "long_poll"] as const)("presence over %s", (transport) => {
  it("tells who is there, then who comes and goes", async () => {
    const { url } = await startHub();
    const about = { host: "d\u00e9j\u00e0 \ud83d\ude42", roles: ["writer", "reader"] };
    const ada = await join(url, { as: "ada", transport, about });
    const watcher = await join(url, { transport });
    const heard = new Heard(watcher, "presence");
    const [everybody] = await heard.count(1);
    const connections = [{ transport, host: about.host }];
    expect(everybody?.instances).toMatchObject([{ claude_id: "ada", state: "online", about, connections }]);
    const bob = await join(url, { as: "bob" });
    await heard.find(({ instances }) => instances.some((one) => one.claude_id === "bob" && one.state === "online"));
    await bob.close();
    await heard.find(({ instances }) => instances.some((one) => one.claude_id === "bob" && one.state === "offline"));
    expect(ada.state).toBe("online");
    const versions = heard.all.map(({ version }) => version);
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
  });
});

it.each(["websocket", "long_poll"] as const)(
  "is read to its end over %s, however many there are",
  async (transport) => {
    const { url } = await startHub();
    const names = await crowd(url, 300);
    const watcher = await join(url, { transport });
    const heard = new Heard(watcher, "presence");
    const [told] = await heard.count(1);
    for (const everybody of [told, await watcher.presence()]) {
      expect(everybody?.instances.map(({ claude_id }) => claude_id)).toEqual(names);
      expect(everybody).not.toHaveProperty("next");
    }
  },
);

it("is read anew when the line comes back", async () => {
  const { server, proxy, url } = await startProxied();
  const watcher = await join(url, { transport: "websocket", presence: true });
  const heard = new Heard(watcher, "presence");
  await heard.count(1);
  proxy.faults.refuse = "connections";
  proxy.cut();
  await join(server.url, { as: "ada" });
  proxy.faults.refuse = undefined;
  await heard.find(({ instances }) => instances.some(({ claude_id }) => claude_id === "ada"));
});

it("holds back what overtakes the first reading, and leaves out what that contains", async () => {
  const told: number[] = [];
  let answer!: (presence: { version: number; instances: [] }) => void;
  const read = () => new Promise<{ version: number; instances: [] }>((resolve) => (answer = resolve));
  const watch = new PresenceWatch(read, ({ version }) => told.push(version));
  watch.begin();
  watch.change({ version: 4, instances: [] });
  watch.change({ version: 6, instances: [] });
  expect(told).toEqual([]);
  answer({ version: 5, instances: [] });
  await Promise.resolve();
  watch.change({ version: 5, instances: [] });
  watch.change({ version: 7, instances: [] });
  expect(told).toEqual([5, 6, 7]);
});

it("is read to its end where much changes meanwhile, and then again", async () => {
  const told: number[] = [];
  const answers: ((presence: Presence) => void)[] = [];
  const read = () => new Promise<Presence>((resolve) => answers.push(resolve));
  const watch = new PresenceWatch(read, ({ version }) => told.push(version));
  for (let i = 0; i < 3; i++) watch.begin();
  expect(answers.length).toBe(1);
  for (const [i, version] of [5, 8].entries()) {
    answers[i]?.({ version, instances: [] });
    await turn();
  }
  expect([told, answers.length]).toEqual([[5, 8], 2]);
});

it("is read again at the next change when the first reading failed", async () => {
  const readings = [Promise.reject(new Error("not now")), Promise.resolve({ version: 7, instances: [] })];
  const told: number[] = [];
  const watch = new PresenceWatch(
    () => readings.shift() as Promise<Presence>,
    ({ version }) => told.push(version),
  );
  watch.begin();
  watch.change({ version: 5, instances: [] });
  await turn();
  watch.change({ version: 6, instances: [] });
  await turn();
  watch.change({ version: 8, instances: [] });
  expect(told).toEqual([7, 8]);
});
