/**
 * What every store promises, whatever is below it. Each section opens one store of its own; its tests keep out of
 * each other's way by using names that nobody else has.
 */
import { afterAll, beforeAll, describe } from "vitest";
import { LEASE } from "../core/support.ts";
import { backlog } from "./conformance/backlog.ts";
import { batches } from "./conformance/batches.ts";
import { chains } from "./conformance/chains.ts";
import { claims } from "./conformance/claims.ts";
import { clock } from "./conformance/clock.ts";
import { counts } from "./conformance/counts.ts";
import { dependencies } from "./conformance/dependencies.ts";
import { erasure } from "./conformance/erasure.ts";
import { keys } from "./conformance/keys.ts";
import { leases } from "./conformance/leases.ts";
import { lists } from "./conformance/lists.ts";
import { log } from "./conformance/log.ts";
import { messages } from "./conformance/messages.ts";
import { receiptsOfChats } from "./conformance/receipts.ts";
import { retention } from "./conformance/retention.ts";
import { schedules } from "./conformance/schedules.ts";
import { state } from "./conformance/state.ts";
import { templates } from "./conformance/templates.ts";
import { TIGHT } from "./conformance/tight.ts";
import { time } from "./conformance/time.ts";
import { work } from "./conformance/work.ts";
import { type MakeStore, type Section, StoreDriver } from "./driver.ts";

const SECTIONS = {
  messages,
  keys,
  claims,
  work,
  dependencies,
  batches,
  leases,
  time,
  clock,
  log,
  erasure,
  state,
  counts,
  lists,
  schedules,
  retention,
  templates,
  receipts: receiptsOfChats,
};

/** What needs bounds that are soon reached. */
const BOUNDED = { backlog, chains };

/** Runs the whole suite over one kind of store. */
export function storeConformance(kind: string, make: MakeStore): void {
  describe.each(Object.entries<Section>(SECTIONS))(`${kind}: %s`, (_name, section) => {
    let hub: StoreDriver;
    beforeAll(async () => {
      hub = await new StoreDriver(make(LEASE)).open();
    });
    afterAll(() => hub.close());
    section(() => hub);
  });
  describe.each(Object.entries<Section>(BOUNDED))(`${kind}: %s`, (_name, section) => {
    let hub: StoreDriver;
    beforeAll(async () => {
      hub = await new StoreDriver(make(LEASE, undefined, TIGHT)).open();
    });
    afterAll(() => hub.close());
    section(() => hub);
  });
}
