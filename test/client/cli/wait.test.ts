import { describe, expect, it } from "vitest";
import type { Event, Message } from "../../../shared/index.ts";
import { startHub } from "../../support/hub.ts";
import { HubProcess } from "../../support/processes.ts";
import { FaultProxy } from "../../support/proxy.ts";
import { Heard, join, through } from "../sdk/support.ts";
import { CoordInside, shell } from "./coord.ts";

async function waitingHub() {
  const { url } = await startHub();
  const wait = (...args: string[]) => new CoordInside(["wait", "--json", ...args], { url, as: "bob" });
  /** Resolves when bob's waiting has begun. */
  const online = async () => {
    const watch = new CoordInside(["watch", "--presence", "--json"], { url });
    await watch.prints(/"claude_id":"bob","state":"online"/);
    await watch.end();
  };
  return { url, wait, online, ada: shell(url, "ada"), bob: shell(url, "bob") };
}

describe("wait", () => {
  it("ends at once with what waits already, oldest first", async () => {
    const { ada, wait } = await waitingHub();
    await ada("chat", "bob", "one");
    await ada("chat", "bob", "two");
    const waiting = wait();
    expect([await waiting.ended, waiting.items]).toMatchObject([0, [{ task: "one", status: "pending" }]]);
    const { messages } = (await ada("list", "--json")).json;
    expect(messages.map(({ task, delivered_at }: Message) => [task, delivered_at !== undefined])).toEqual([
      ["one", true],
      ["two", false],
    ]);
  });

  it("ends when something comes, and its sender learns that it was delivered", async () => {
    const { url, ada, wait, online } = await waitingHub();
    const watching = new CoordInside(["watch", "--json"], { url, as: "ada" });
    const waiting = wait();
    await online();
    const { stdout } = await ada("chat", "bob", "hello");
    expect([await waiting.ended, waiting.items]).toMatchObject([0, [{ id: stdout.trim(), task: "hello" }]]);
    await watching.prints(/"kind":"delivered"/);
  });

  it("with --new and filters passes over the rest, and only what it prints is delivered", async () => {
    const { url, ada, bob, wait, online } = await waitingHub();
    const carol = shell(url, "carol");
    await carol("chat", "bob", "old", "--thread", "t");
    const watching = new CoordInside(["watch", "--json", "--all"], { url, as: "ada" });
    const waiting = wait("--new", "--thread", "t", "--from", "carol");
    await online();
    await ada("chat", "bob", "another sender", "--thread", "t");
    await carol("chat", "bob", "another thread");
    await carol("chat", "bob", "this one", "--thread", "t");
    expect([await waiting.ended, waiting.items]).toMatchObject([0, [{ task: "this one" }]]);
    const { json } = await bob("inbox", "--json");
    expect(json.messages).toHaveLength(4);
    await ada("chat", "bob", "the last");
    await watching.prints(/the last/);
    const delivered = watching.items.filter(({ kind }: Event) => kind === "delivered");
    expect(delivered).toMatchObject([{ actor: "bob", message: { id: waiting.items[0].id } }]);
  });

  it("ends with 4 when nothing comes in time", async () => {
    const { wait } = await waitingHub();
    const waiting = wait("--timeout", "100ms");
    expect([await waiting.ended, waiting.stdout]).toEqual([4, ""]);
    expect(JSON.parse(waiting.stderr)).toMatchObject({ code: "nothing_came" });
  });

  it("counts a task as come when it can be claimed, also one that is given back", async () => {
    const { ada, bob, wait, online } = await waitingHub();
    await ada("send", "bob", "much later", "--not-before", "1h");
    const { stdout } = await ada("send", "bob", "soon", "--not-before", "1s");
    const early = wait();
    expect([await early.ended, early.items]).toMatchObject([0, [{ id: stdout.trim(), task: "soon" }]]);
    await bob("claim", stdout.trim());
    const later = wait();
    await online();
    await bob("release", stdout.trim());
    expect([await later.ended, later.items]).toMatchObject([0, [{ id: stdout.trim(), attempt: 1 }]]);
  });

  it("hears a chat to everyone, but not its own", async () => {
    const { ada, bob, wait, online } = await waitingHub();
    const waiting = wait();
    await online();
    await bob("chat", "*", "mine");
    await ada("chat", "*", "hers");
    expect([await waiting.ended, waiting.items]).toMatchObject([0, [{ task: "hers" }]]);
  });

  it("and inbox, tell of chats to everyone that were sent while one was away", async () => {
    const { ada, bob, wait } = await waitingHub();
    await bob("heartbeat");
    const { stdout } = await ada("chat", "*", "one");
    await ada("chat", "*", "two");
    const waiting = wait();
    expect([await waiting.ended, waiting.items]).toMatchObject([0, [{ id: stdout.trim(), to_claude: "*" }]]);
    await ada("chat", "bob", "mine");
    const tasks: string[] = [];
    for (let next: string[] = []; tasks.length < 3; ) {
      const { json } = await bob("inbox", "--json", "--limit", "1", ...next);
      tasks.push(...json.messages.map(({ task }: { task: string }) => task));
      next = json.next === undefined ? ["--limit", "0"] : ["--next", json.next];
    }
    expect(tasks).toEqual(["mine", "one", "two"]);
    expect((await bob("inbox", "--json")).json).toMatchObject({ messages: [{}, {}, {}], count: 3 });
    await bob("complete", stdout.trim());
    expect((await bob("inbox")).stdout).not.toContain(stdout.trim());
  });

  it("goes on when the hub restarts, and ends with 130 on Ctrl-C", async () => {
    const hub = await HubProcess.start();
    const [first, second] = [0, 1].map(() => new CoordInside(["wait"], { url: hub.url, as: "bob" })) as [
      CoordInside,
      CoordInside,
    ];
    const watching = new CoordInside(["watch", "--presence", "--json"], { url: hub.url });
    await watching.prints(/"claude_id":"bob".*"connections":\[\{"transport".*\{"transport"/);
    expect(await second.end()).toBe(130);
    await hub.kill();
    await startHub({ port: hub.port, db: hub.db });
    await shell(hub.url, "ada")("chat", "bob", "after the restart");
    expect([await first.ended, first.stdout]).toEqual([0, expect.stringMatching(/\n\nafter the restart\n$/)]);
  });
});

describe("when time runs out while the hub is away", () => {
  const awayAtTheEnd = async (hub: HubProcess, waiting: CoordInside) => {
    await hub.kill();
    await waiting.prints(/reconnecting… \(/, "stderr");
    expect([await waiting.ended, waiting.stdout]).toEqual([3, ""]);
    expect(waiting.stderr).toContain(`error: no hub answers at ${hub.url}: `);
  };

  it("wait says so", async () => {
    const hub = await HubProcess.start();
    const watch = new CoordInside(["watch", "--presence", "--json"], { url: hub.url });
    const waiting = new CoordInside(["wait", "--timeout", "3s"], { url: hub.url, as: "bob" });
    await watch.prints(/"claude_id":"bob","state":"online"/);
    await awayAtTheEnd(hub, waiting);
    expect(waiting.stderr).toMatch(/ \(nothing came within 3 s\)\n$/);
  });

  it("send --wait says so, and which message it was", async () => {
    const hub = await HubProcess.start();
    const sent = ["send", "bob", "x", "--wait", "--wait-timeout", "3s"];
    const waiting = new CoordInside(sent, { url: hub.url, as: "ada" });
    await waiting.prints(/^[0-9a-f]{32}\n/, "stderr");
    await awayAtTheEnd(hub, waiting);
    expect(waiting.stderr).toMatch(/ \([0-9a-f]{32} has not ended within 3 s: see `coord get [0-9a-f]{32}`\)\n$/);
  });
});

describe("next --wait", () => {
  it("gives back a task that comes in the moment of its end", async () => {
    const { url, port } = await startHub();
    const proxy = await FaultProxy.start({ port });
    const ada = await join(url, { as: "ada" });
    const [present, claimed] = [new Heard(ada, "presence"), new Heard(ada, "claimed")];
    const next = new CoordInside(["next", "--wait", "1m"], { url: through(proxy), as: "bob" });
    await present.find(({ instances }) => instances.some(({ claude_id }) => claude_id === "bob"));
    proxy.blackHole();
    const { id } = await ada.send({ to_claude: "bob", task: "x" });
    await claimed.count(1);
    const ended = next.end("SIGTERM");
    proxy.resume();
    expect([await ended, next.stdout, next.stderr]).toEqual([143, "", ""]);
    expect(await ada.get({ id })).toMatchObject({ status: "pending", attempt: 1, tries_left: 3 });
  });
});
