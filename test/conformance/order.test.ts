/** I2 and I3: every reader sees one order, without a gap, a duplicate or a step back, however its line breaks. */
import { describe, expect, test } from "vitest";
import type { Event } from "../../shared/event.ts";
import { startHub } from "../support/hub.ts";
import { FaultProxy } from "../support/proxy.ts";
import { seededRandom } from "../support/random.ts";
import { isLast, NAMES, visibleTo, Workers } from "./log.ts";
import { CARRIERS, type Carrier, type LogReader, type Place } from "./readers.ts";

test("all readers see one order while many write (I2)", async () => {
  const hub = await startHub();
  const writers = await Promise.all(NAMES.map(() => Workers.start(hub, seededRandom())));
  const origin = await (writers[0] as Workers).head();
  const views = [...NAMES, undefined].flatMap((as) => CARRIERS.map((carrier) => ({ as, carrier })));
  const readers = await Promise.all(views.map(({ as, carrier }) => carrier.start(hub, { as })));
  const reading = Promise.all(readers.map((reader) => reader.until(isLast)));
  await Promise.all(writers.map((writer) => writer.work(80)));
  await writers[0]?.finish();
  const all = await (writers[0] as Workers).log(origin);
  expect(all.map(({ seq }) => seq)).toEqual(all.map((_, i) => (all[0] as Event).seq + i));
  for (const [i, events] of (await reading).entries()) expect(events).toEqual(all.filter(visibleTo(views[i]?.as)));
});

/** A page must pass between two cuts: one that never does would be asked for without end. */
const PAGE_EVENTS = 5;
/** For carriers whose pages nobody bounds, and which have grown too long: by so much lines last longer after one in vain. */
const GROWTH = 1.1;

describe.each(CARRIERS)("$name (I3)", ({ start }: Carrier) => {
  test.each([
    ["cut anywhere", { cutWithinBytes: 8_000 }],
    ["cut anywhere, its bytes in crumbs", { cutWithinBytes: 8_000, sliceBytes: 211 }],
  ])("%s, a reader misses nothing and sees nothing twice", async (_, faults) => {
    const random = seededRandom();
    const hub = await startHub();
    const proxy = await FaultProxy.start(hub, random);
    const workers = await Workers.start(hub, random);
    const from = await workers.head();
    Object.assign(proxy.faults, faults);
    const views = ["bob", undefined];
    const reading = Promise.all(views.map((as) => readThrough(proxy, start, from, as)));
    await workers.work(150, 200);
    await workers.finish();
    const all = await workers.log(from);
    for (const [i, events] of (await reading).entries()) expect(events).toEqual(all.filter(visibleTo(views[i])));
    expect(proxy.accepted).toBeGreaterThan(10);
  });
});

/** Reads to the end of the log over lines that break, always going on from its cursor. */
async function readThrough(proxy: FaultProxy, start: Carrier["start"], from: string, as: string | undefined) {
  const place: Place = {
    url: `http://127.0.0.1:${proxy.port}/api/coord`,
    wsUrl: `ws://127.0.0.1:${proxy.port}/api/coord/ws`,
  };
  const events: Event[] = [];
  const isOver = () => events.at(-1) !== undefined && isLast(events.at(-1) as Event);
  let cursor = from;
  while (!isOver()) {
    const reader: LogReader | undefined = await start(place, { as, from: cursor, limit: PAGE_EVENTS }).catch(
      ignoreBroken,
    );
    expect(reader?.lost).toBeUndefined();
    const before = cursor;
    while (reader && !isOver()) {
      const page = await reader.nextPage().catch(ignoreBroken);
      if (!page) break;
      events.push(...page.events);
      cursor = page.cursor;
    }
    reader?.cut();
    if (cursor === before) proxy.faults.cutWithinBytes = GROWTH * (proxy.faults.cutWithinBytes ?? 0);
  }
  return events;
}

/** A broken line is what this is about; a wrong page is not. */
function ignoreBroken(error: Error): undefined {
  if (error.name === "AssertionError") throw error;
}
