import { expect, test } from "vitest";
import { Timekeeper } from "../../../../server/store/engine/timekeeper.ts";
import { LEASE, MINUTE, name, SECOND } from "../../core/support.ts";
import { MemoryStore } from "../memory/memoryStore.ts";

test("a batch that is undone makes no absence of the time before it", async () => {
  const store = new MemoryStore({ lease: LEASE, newId: () => "held", random: () => 0 });
  const at = (ms: number) => ({ now: 60 * MINUTE + ms, awake: ms });
  const bob = name("bob");
  await store.commit([{ op: "send", said: { from_claude: "ada", to_claude: "bob", task: "t" } }], at(0));
  await store.commit([{ op: "change", caller: bob, id: "held", command: { op: "claim" } }], at(0));
  const until = store.ledger.message("held")?.lease_until;
  const keeper = new Timekeeper(store.ledger);
  keeper.keep(at(0));
  keeper.keep(at(20 * SECOND));
  keeper.reset();
  keeper.keep(at(35 * SECOND));
  expect(store.ledger.message("held")?.lease_until).toBe(until);
  expect(store.ledger.clock.noted()).toBe(at(35 * SECOND).now);
});
