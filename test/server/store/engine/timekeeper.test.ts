import { expect, test } from "vitest";
import type { MessageState } from "../../../../server/core/message.ts";
import { Timekeeper } from "../../../../server/store/engine/timekeeper.ts";
import { LEASE, MINUTE, name, SECOND } from "../../core/support.ts";
import { MemoryStore } from "../memory/memoryStore.ts";

const at = (ms: number) => ({ now: 60 * MINUTE + ms, awake: ms });

/** A store in which a task is held, with a deadline. */
async function storeWithHeld(): Promise<MemoryStore> {
  const store = new MemoryStore({ lease: LEASE, newId: () => "held", random: () => 0 });
  const bob = name("bob");
  await store.commit([{ op: "send", said: { from_claude: "ada", to_claude: "bob", task: "t" } }], at(0));
  await store.commit([{ op: "change", caller: bob, id: "held", command: { op: "claim" } }], at(0));
  return store;
}

test("a batch that is undone makes no absence of the time before it", async () => {
  const store = await storeWithHeld();
  const until = store.ledger.message("held")?.lease_until;
  const keeper = new Timekeeper(store.ledger);
  keeper.keep(at(0));
  keeper.keep(at(20 * SECOND));
  keeper.reset();
  keeper.keep(at(35 * SECOND));
  expect(store.ledger.message("held")?.lease_until).toBe(until);
  expect(store.ledger.clock.noted()).toBe(at(35 * SECOND).now);
});

test("a jump that was noticed in a batch that is undone is noticed again", async () => {
  const store = await storeWithHeld();
  const before = store.ledger.message("held") as MessageState;
  const keeper = new Timekeeper(store.ledger);
  keeper.keep(at(0));
  const later = { now: at(SECOND).now + 5 * MINUTE, awake: SECOND };
  keeper.keep(later);
  store.ledger.update(before);
  keeper.reset();
  keeper.keep(later);
  const until = store.ledger.message("held")?.lease_until;
  expect(until).toBe((before.lease_until as number) + 5 * MINUTE);
});
