import { describe, expect, it } from "vitest";
import type { Hub, HubEvent } from "../../../../client/sdk/index.ts";
import { LIMITS } from "../../../../shared/index.ts";
import { startHub } from "../../../support/hub.ts";
import { HubProcess } from "../../../support/processes.ts";
import { seededRandom } from "../../../support/random.ts";
import { Heard, join, reaches, startProxied } from "../support.ts";

const tasksOf = (events: readonly HubEvent[]) => events.map(({ message }) => message.task);

describe.each(["websocket", "long_poll"] as const)("messages over %s", (transport) => {
  it("that waited come first, oldest first, then those that come", async () => {
    const { url } = await startHub();
    const ada = await join(url, { as: "ada" });
    for (const text of ["one", "two"]) await ada.chat("bob", text);
    const bob = await join(url, { as: "bob", transport });
    const heard = new Heard(bob, "new");
    await heard.count(2);
    await ada.chat("bob", "three");
    const events = await heard.count(3);
    expect(tasksOf(events)).toEqual(["one", "two", "three"]);
    expect(events.map(({ backlog }) => backlog ?? false)).toEqual([true, true, false]);
    expect(events[0]).toMatchObject({ kind: "new", actor: "ada", seq: events[0]?.message.seq });
  });

  it("to everyone wait, too, for whoever was away, and are told once", async () => {
    const { url } = await startHub();
    const ada = await join(url, { as: "ada" });
    await (await join(url, { as: "bob" })).close();
    for (const text of ["seen", "one", "acknowledged"]) await ada.chat("*", text);
    const bob = await join(url, { as: "bob", transport });
    const { messages } = await bob.list({ open_for: "bob" });
    await bob.complete({ id: messages[2]?.id as string });
    await bob.seen({ id: messages[0]?.id as string });
    const sending = ada.chat("*", "two");
    const heard = new Heard(bob, "new");
    await sending;
    await ada.chat("bob", "last");
    await heard.find(({ message }) => message.task === "last");
    expect(tasksOf(heard.all).sort()).toEqual(["last", "one", "two"]);
    expect(heard.all.find(({ message }) => message.task === "one")).toMatchObject({
      backlog: true,
      message: { to_claude: "*", status: "pending" },
    });
  });

  it("that waited count as delivered as well, once an iterator has taken them", async () => {
    const { url } = await startHub();
    const ada = await join(url, { as: "ada" });
    const delivered = new Heard(ada, "delivered");
    const sent = [await ada.chat("bob", "one"), await ada.chat("bob", "two"), await ada.chat("bob", "three")];
    const bob = await join(url, { as: "bob", transport });
    const texts: string[] = [];
    for await (const event of bob.events()) {
      if (event.kind === "new") texts.push(event.message.task); // by its type, what is new has a text
      break;
    }
    expect(texts).toEqual(["one"]);
    await sent[0]?.reached("delivered");
    for (let round = 0; round < 10; round++) await bob.stats();
    expect(delivered.all).toHaveLength(1);
    const heard = new Heard(bob, "new");
    expect(tasksOf(await heard.count(2))).toEqual(["two", "three"]);
    expect((await delivered.count(3)).map(({ message }) => message.id)).toEqual(sent.map(({ id }) => id));
  });

  it("that an iterator left behind are told to the next who listens, if they still wait", async () => {
    const { url } = await startHub();
    const ada = await join(url, { as: "ada" });
    const bob = await join(url, { as: "bob", transport });
    const events = bob.events();
    for (let round = 0; round < 3; round++) await bob.stats(); // nothing waited; from here on it is live
    const texts = ["one", "two", "gone", "three"];
    const sent = await Promise.all(texts.map((text) => ada.chat("bob", text)));
    expect((await events.next()).value?.message.task).toBe("one");
    await events.return?.();
    await ada.delete({ id: sent[2]?.id as string });
    const heard = new Heard(bob, "new");
    await ada.chat("bob", "four");
    expect(tasksOf(await heard.count(3))).toEqual(["two", "three", "four"]);
    expect(heard.all.slice(0, 2).every(({ backlog }) => backlog)).toBe(true);
    await sent[3]?.reached("delivered");
  });

  it("are told once each when they come while the backlog is read", async () => {
    const { url } = await startHub();
    const ada = await join(url, { as: "ada" });
    const bob = await join(url, { as: "bob", transport });
    const sent = Array.from({ length: 300 }, (_, i) => `${i}`);
    const sending = sent.map((text) => ada.chat("bob", text));
    const heard = new Heard(bob, "new");
    await Promise.all(sending);
    await ada.chat("bob", "last");
    await heard.find(({ message }) => message.task === "last");
    expect(tasksOf(heard.all).sort()).toEqual([...sent, "last"].sort());
  });

  it("are told to handlers that a client announced, without a second hello", async () => {
    const { url } = await startHub();
    const ada = await join(url, { as: "ada" });
    await ada.chat("bob", "waited");
    const bob = await join(url, { as: "bob", transport, receives: true });
    await ada.chat("bob", "came before anybody listened");
    const states = new Heard(bob, "state");
    const heard = new Heard(bob, "new");
    await ada.chat("bob", "came then");
    expect(tasksOf(await heard.count(3))).toEqual(["waited", "came before anybody listened", "came then"]);
    expect(states.all).toEqual([]);
  });

  it("count as delivered once their handler was started, and not while nobody listens", async () => {
    const { url } = await startHub();
    const ada = await join(url, { as: "ada" });
    const delivered = new Heard(ada, "delivered");
    const bob = await join(url, { as: "bob", transport });
    const { id } = await ada.chat("bob", "hello");
    expect(await ada.get({ id })).not.toHaveProperty("delivered_at");
    new Heard(bob, "new");
    const second = await ada.chat("bob", "are you there?");
    await delivered.find(({ message }) => message.id === second.id);
  });

  it("count as delivered no sooner than an iterator has taken them", async () => {
    const { url } = await startHub();
    const ada = await join(url, { as: "ada" });
    const delivered = new Heard(ada, "delivered");
    const bob = await join(url, { as: "bob", transport, receives: true });
    const events = bob.events();
    for (let round = 0; round < 3; round++) await bob.stats(); // nothing waited; from here on it is live
    const sent = [await ada.chat("bob", "one"), await ada.chat("bob", "two"), await ada.chat("bob", "three")];
    const taken = (await events.next()).value?.message.id;
    expect(taken).toBe(sent[0]?.id);
    await delivered.count(1);
    for (let round = 0; round < 10; round++) await bob.stats();
    expect(delivered.all.map(({ message }) => message.id)).toEqual([taken]);
    await events.return?.();
    await bob.chat("ada", "an acknowledgement would travel with this");
    expect(await ada.get({ id: sent[1]?.id as string })).not.toHaveProperty("delivered_at");
    new Heard(bob, "new");
    await delivered.count(3);
  });

  it("are delivered only to whoever takes them, and wait for the next when nobody does", async () => {
    const { url } = await startHub();
    const ada = await join(url, { as: "ada" });
    const delivered = new Heard(ada, "delivered");
    const bob = await join(url, { as: "bob", transport, receives: true });
    new Heard(bob, "completed");
    const sent = [await ada.chat("bob", "one")];
    for (let round = 0; round < 3; round++) await bob.chat("ada", "something else is listened to");
    expect(await ada.get({ id: sent[0]?.id as string })).not.toHaveProperty("delivered_at");
    const first = new Heard(bob, "new");
    await first.count(1);
    await delivered.count(1);
    first.off();
    for (const text of ["two", "three"]) sent.push(await ada.chat("bob", text));
    for (let round = 0; round < 3; round++) await bob.stats();
    expect(await ada.get({ id: sent[1]?.id as string })).not.toHaveProperty("delivered_at");
    const second = new Heard(bob, "new");
    await ada.chat("bob", "four");
    expect(tasksOf(await second.count(3))).toEqual(["two", "three", "four"]);
    expect((await delivered.count(4)).slice(0, 3).map(({ message }) => message.id)).toEqual(sent.map(({ id }) => id));
    expect(tasksOf(first.all)).toEqual(["one"]);
  });

  it("go on from a stored cursor exactly, also where an iterator was left within a page", async () => {
    const { url } = await startHub();
    const ada = await join(url, { as: "ada" });
    await Promise.all(["waited one", "waited two"].map((text) => ada.chat("bob", text)));
    const first = await join(url, { as: "bob", transport });
    const events = first.events();
    expect((await events.next()).value?.message.task).toBe("waited one");
    await Promise.all(["one", "two", "three"].map((text) => ada.chat("bob", text)));
    for (const text of ["waited two", "one"]) expect((await events.next()).value?.message.task).toBe(text);
    await events.return?.();
    for (let round = 0; round < 3; round++) await first.stats();
    const cursor = first.cursor as string;
    await first.close();
    const heard = new Heard(await join(url, { as: "bob", transport, resume: cursor }), "new");
    await ada.chat("bob", "last");
    expect(tasksOf(await heard.count(3))).toEqual(["two", "three", "last"]);
  });

  it("that waited and were left by one life are told to the next, though it goes on from a cursor", async () => {
    const { url } = await startHub();
    const ada = await join(url, { as: "ada" });
    for (const text of ["one", "two", "three"]) await ada.chat("bob", text);
    const first = await join(url, { as: "bob", transport });
    for await (const { message } of first.events()) if (message.task === "one") break;
    const cursor = first.cursor as string;
    await first.close();
    const heard = new Heard(await join(url, { as: "bob", transport, resume: cursor }), "new");
    expect(tasksOf(await heard.count(2))).toEqual(["two", "three"]);
  });

  it("are told in order to handlers that listen for one at a time", async () => {
    const { url } = await startHub();
    const ada = await join(url, { as: "ada" });
    const texts = ["one", "two", "three", "four"];
    await Promise.all(texts.map((text) => ada.chat("bob", `waited ${text}`)));
    const bob = await join(url, { as: "bob", transport });
    const next = () =>
      new Promise<string | undefined>((resolve) => {
        const off = bob.on("new", ({ message }) => {
          off();
          resolve(message.task);
        });
      });
    const told: (string | undefined)[] = [];
    for (const _ of texts) told.push(await next());
    const fifth = next();
    await Promise.all(texts.map((text) => ada.chat("bob", text)));
    told.push(await fifth);
    for (let i = 1; i < texts.length; i++) told.push(await next());
    expect(told).toEqual([...texts.map((text) => `waited ${text}`), ...texts]);
  });

  it("that one listener leaves are told to the other, and nothing twice", async () => {
    const { url } = await startHub();
    const ada = await join(url, { as: "ada" });
    for (const text of ["waited one", "waited two"]) await ada.chat("bob", text);
    const bob = await join(url, { as: "bob", transport });
    const events = bob.events();
    await events.next();
    const heard = new Heard(bob, "new");
    const live = await ada.chat("bob", "live");
    await heard.count(1);
    await live.reached("delivered"); // a handler took it, whatever the iterator does
    await events.return?.();
    expect(tasksOf(await heard.count(2))).toEqual(["live", "waited two"]);
    heard.off();
    const second = new Heard(bob, "new");
    await ada.chat("bob", "last");
    expect(tasksOf(await second.count(1))).toEqual(["last"]);
  });

  it("do not keep a loop from waiting for the end of what it sends", async () => {
    const { url } = await startHub();
    const ada = await join(url, { as: "ada" });
    ada.work(() => "done");
    const bob = await join(url, { as: "bob", transport });
    const context = "x".repeat(900_000);
    for (let i = 0; i < 6; i++) await ada.chat("bob", `${i}`, { context }); // more than may be on its way
    for await (const { message } of bob.events()) {
      if (message.task !== "0") continue;
      expect((await (await bob.send({ to_claude: "ada", task: "t" })).result()).result).toBe("done");
      break;
    }
  });

  it.each([
    ["left in the turn in which it came", { receives: false }],
    ["announced, and has not come", { receives: true }],
  ])("do not keep a sender from its results whose listener %s", async (_, options) => {
    const { url } = await startHub();
    const ada = await join(url, { as: "ada" });
    ada.work(() => "x".repeat(LIMITS.result_bytes));
    const bob = await join(url, { as: "bob", transport, ...options });
    if (!options.receives) bob.on("new", () => {})();
    const tasks = await Promise.all(["1", "2", "3", "4", "5"].map((task) => bob.send({ to_claude: "ada", task })));
    await Promise.all(tasks.map((task) => task.result()));
  });

  it("go on from a stored cursor, as soon as somebody listens", async () => {
    const { url } = await startHub();
    const ada = await join(url, { as: "ada" });
    const first = await join(url, { as: "bob", transport });
    const before = new Heard(first, "new");
    await ada.chat("bob", "one");
    await before.count(1);
    await ada.chat("bob", "seen");
    await before.find(({ backlog, message }) => !backlog && message.task === "seen");
    await first.close();
    const cursor = first.cursor as string;
    for (const text of ["two", "three"]) await ada.chat("bob", text);
    const second = await join(url, { as: "bob", transport, resume: cursor });
    await ada.chat("bob", "four");
    const heard = new Heard(second, "new");
    expect(tasksOf(await heard.count(3))).toEqual(["two", "three", "four"]);
    expect(heard.all.every(({ backlog }) => !backlog)).toBe(true);
  });

  it("an iterator takes at its own speed, and all of them", async () => {
    const { url } = await startHub();
    const ada = await join(url, { as: "ada" });
    const bob = await join(url, { as: "bob", transport });
    const events = bob.events();
    const sent = Array.from({ length: 2_000 }, (_, i) => `${i}`);
    await Promise.all(sent.map((text) => ada.chat("bob", text)));
    const got: (string | undefined)[] = [];
    for await (const { kind, message } of events) {
      if (kind === "new") got.push(message.task);
      if (got.length === sent.length) break;
    }
    expect(got.sort()).toEqual(sent.sort());
  });
});

it("the rest of a long backlog is told to the next who listens", async () => {
  const { url } = await startHub();
  const ada = await join(url, { as: "ada" });
  const sent = Array.from({ length: 600 }, (_, i) => `${i}`);
  await Promise.all(sent.map((text) => ada.chat("bob", text)));
  const bob = await join(url, { as: "bob" });
  for await (const { message } of bob.events()) {
    expect(message.task).toBe("0");
    break;
  }
  const heard = new Heard(bob, "new");
  expect(tasksOf(await heard.count(599))).toEqual(sent.slice(1));
});

it("nothing is lost, doubled or reordered while lines break at random", async () => {
  const random = seededRandom();
  const { server, proxy, url } = await startProxied(random);
  const ada = await join(server.url, { as: "ada" });
  const bob = await join(url, { as: "bob", transport: "websocket" });
  const heard = new Heard(bob, "event");
  await reaches(bob, "online");
  await ada.chat("bob", "first");
  await heard.count(1);
  proxy.faults.cutWithinBytes = 20_000;
  const sent = Array.from({ length: 400 }, (_, i) => `${i}`);
  for (const text of sent) await ada.chat("bob", text);
  proxy.faults.cutWithinBytes = undefined;
  await heard.find(({ message }) => message.task === sent.at(-1));
  const news = heard.all.filter(({ kind }) => kind === "new");
  expect(tasksOf(news)).toEqual(["first", ...sent]);
  const seqs = heard.all.map(({ seq }) => seq);
  expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
  expect(proxy.accepted).toBeGreaterThan(5);
});

it("acknowledges before half of the hub's window is open, or the hub would stop", async () => {
  const { url } = await startHub();
  const ada = await join(url, { as: "ada" });
  const bob = await join(url, { as: "bob" });
  const heard = new Heard(bob, "new");
  await reaches(bob, "online");
  const sent = Array.from({ length: 10_000 }, (_, i) => ada.chat("bob", `${i}`));
  await Promise.all(sent);
  expect(await heard.count(10_000)).toHaveLength(10_000);
});

it("a log that does not go on is told as a resync, with the messages that wait now", async () => {
  const server = await HubProcess.start();
  const bob = await join(server.url, { as: "bob" });
  const resyncs = new Heard(bob, "resync");
  const heard = new Heard(bob, "new");
  const other = await startHub();
  const ada = await join(other.url, { as: "ada" });
  await ada.chat("bob", "in another log");
  await ada.close();
  await server.kill();
  await other.close();
  const restored = await startHub({ port: server.port, db: other.db });
  expect(await resyncs.count(1)).toEqual([{ reason: "epoch", cursor: expect.any(String) }]);
  expect(await heard.count(1)).toMatchObject([{ backlog: true, message: { task: "in another log" } }]);
  expect(restored.port).toBe(server.port);
});

it("tells a caller who resumes from a lost cursor, whenever it begins to listen", async () => {
  const { url } = await startHub();
  const lost = "000000000000.7";
  for (const receives of [false, true]) {
    const bob = await join(url, { as: "bob", resume: lost, receives });
    const resyncs = new Heard(bob, "resync");
    new Heard(bob, "new");
    expect(await resyncs.count(1)).toMatchObject([{ reason: "epoch" }]);
    await bob.close();
  }
});

it("a handler that fails harms nobody else and is reported", async () => {
  const { url } = await startHub();
  const bob = await join(url, { as: "bob" });
  const errors = new Heard(bob, "error");
  bob.on("new", () => {
    throw new Error("in the handler");
  });
  bob.on("new", async () => Promise.reject(new Error("later in the handler")));
  const heard = new Heard(bob, "new");
  await bob.chat("bob", "hello");
  await heard.count(1);
  const messages = (await errors.count(2)).map(({ message }) => message);
  expect(messages).toEqual(["in the handler", "later in the handler"]);
});

it("a handler that was taken away is told nothing more", async () => {
  const { url } = await startHub();
  const bob = await join(url, { as: "bob" });
  const seen: HubEvent[] = [];
  const off = bob.on("new", (event) => seen.push(event));
  const heard = new Heard(bob, "new");
  await bob.chat("bob", "one");
  await heard.count(1);
  off();
  await bob.chat("bob", "two");
  await heard.count(2);
  expect(tasksOf(seen)).toEqual(["one"]);
});

it("an observer sees what happens between others", async () => {
  const { url } = await startHub();
  const observer: Hub = await join(url);
  const heard = new Heard(observer, "event");
  await reaches(observer, "online");
  const ada = await join(url, { as: "ada" });
  const task = await ada.send({ to_claude: "bob", task: "x" });
  await heard.find(({ kind, message }) => kind === "new" && message.id === task.id);
  expect((await observer.presence()).instances.map(({ claude_id }) => claude_id)).toEqual(["ada"]);
});

it("what is taken late of a log that was lost does not move the cursor back into it", async () => {
  const server = await startHub();
  const [ada, bob] = [await join(server.url, { as: "ada" }), await join(server.url, { as: "bob" })];
  const [resyncs, events] = [new Heard(bob, "resync"), bob.events()];
  for (let round = 0; round < 3; round++) await bob.stats(); // nothing waited; from here on it is live
  for (const text of ["one", "two", "three"]) await ada.chat("bob", text);
  expect((await events.next()).value?.message.task).toBe("one");
  for (let round = 0; round < 3; round++) await bob.stats();
  await server.close();
  await startHub({ port: server.port });
  const [resync] = await resyncs.count(1);
  for (const text of ["two", "three"]) expect((await events.next()).value?.message.task).toBe(text);
  expect(bob.cursor).toBe(resync?.cursor);
});
