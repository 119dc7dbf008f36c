/**
 * What every store promises, whatever is below it. Each section opens one store of its own; its tests keep out of
 * each other's way by using names that nobody else has.
 */
import { afterAll, beforeAll, describe } from "vitest";
import { LEASE } from "../core/support.ts";
import { batches } from "./conformance/batches.ts";
import { claims } from "./conformance/claims.ts";
import { counts } from "./conformance/counts.ts";
import { erasure } from "./conformance/erasure.ts";
import { keys } from "./conformance/keys.ts";
import { leases } from "./conformance/leases.ts";
import { lists } from "./conformance/lists.ts";
import { log } from "./conformance/log.ts";
import { messages } from "./conformance/messages.ts";
import { state } from "./conformance/state.ts";
import { templates } from "./conformance/templates.ts";
import { time } from "./conformance/time.ts";
import { type MakeStore, type Section, StoreDriver } from "./driver.ts";

const SECTIONS = { messages, keys, claims, batches, leases, time, log, erasure, state, counts, lists, templates };

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
}
