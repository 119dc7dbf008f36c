/**
 * The connection is cut at random bytes, and the hub restarted, while events flow. Whoever reads, by which transport
 * ever, has at the end exactly the log: no gap, nothing twice, nothing out of order.
 */
import { expect, test } from "vitest";
import type { ConnectOptions } from "../../client/sdk/index.ts";
import { SOCKET_PATH } from "../../shared/protocol.ts";
import { Heard, join, through } from "../client/sdk/support.ts";
import { HubProcess } from "../support/processes.ts";
import { FaultProxy } from "../support/proxy.ts";
import { seededRandom } from "../support/random.ts";
import { Load } from "./support/load.ts";
import { LogChecker, textOf } from "./support/logChecker.ts";
import { LogReader } from "./support/logReader.ts";

const ROUNDS = 2;

test("every reader has the whole log, in its order, over any number of cuts and restarts", async () => {
  const random = seededRandom();
  const hub = await HubProcess.start();
  const proxy = await FaultProxy.start(hub, random);
  const noSockets = await FaultProxy.start(hub, random);
  noSockets.faults.refuse = "upgrades";
  const connect = (line: FaultProxy, options: ConnectOptions) =>
    join(through(line), { random: () => 0.01, timeout_ms: 15_000, ...options });

  const readers = {
    all: await LogReader.start(`ws://127.0.0.1:${proxy.port}${SOCKET_PATH}`, { scope: "all" }),
    ofAda: await LogReader.start(`ws://127.0.0.1:${proxy.port}${SOCKET_PATH}`, { claude_id: "ada", run: "reads" }),
  };
  const observers = {
    "over a socket": new Heard(await connect(proxy, { transport: "websocket" }), "event"),
    "over long polling": new Heard(await connect(proxy, { transport: "long_poll" }), "event"),
    "where sockets are blocked": new Heard(await connect(noSockets, {}), "event"),
  };
  const load = new Load(random, ["ada"]);
  load.send(await connect(proxy, { as: "sender" }), 8);
  load.work(await connect(proxy, { as: "ada" }), 4);
  for (let round = 0; round < ROUNDS; round++) {
    for (const line of [proxy, noSockets]) line.faults.cutWithinBytes = 50_000;
    await load.acknowledges(200);
    for (const line of [proxy, noSockets]) line.faults.cutWithinBytes = undefined;
    await hub.restart();
    await load.acknowledges(50);
    proxy.cut();
  }
  const checker = new LogChecker();
  await load.finish(() => checker.isWorkedOff(hub.url));
  await checker.readOn(hub.url);

  expect(checker.broken).toEqual([]);
  expect(checker.missing(load.acknowledged)).toEqual([]);
  await readers.all.reaches(checker.cursor);
  await readers.ofAda.counts(checker.seenBy("ada").length);
  expect(readers.all.broken.concat(readers.ofAda.broken)).toEqual([]);
  expect(textOf(readers.all.events)).toBe(textOf(checker.events));
  expect(textOf(readers.ofAda.events)).toBe(textOf(checker.seenBy("ada")));
  for (const [name, heard] of Object.entries(observers)) {
    await heard.find(({ seq }) => seq === checker.events.length);
    expect(textOf(heard.all), name).toBe(textOf(checker.events));
  }
  expect(proxy.accepted).toBeGreaterThan(20);
}, 60_000);
