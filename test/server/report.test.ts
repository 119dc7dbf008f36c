/** What is tried again every second fails every second, but is not logged every second. */
import { expect, test } from "vitest";
import { LIVENESS } from "../../shared/defaults.ts";
import { ManualClock } from "../support/clock.ts";
import { http } from "../support/http.ts";
import { startHub } from "../support/hub.ts";
import { RawSocket } from "../support/rawSocket.ts";
import { HeldStore } from "./transport/heldStore.ts";
import { pass } from "./transport/pass.ts";

const SECOND = 1_000;

/** A hub whose store can be made to fail, and what it logged of that. */
async function start() {
  const [store, clock] = [new HeldStore(), new ManualClock()];
  const hub = await startHub({ store, clock, liveness: { pingMs: 10 * LIVENESS.forget_ms } });
  const notes = () => hub.logged.map((line) => JSON.parse(line).msg as string);
  return { store, clock, hub, notes };
}

test("a store that cannot be woken is told of once, until it can be again", async () => {
  const { store, clock, hub, notes } = await start();
  const expires_at = new Date(clock.now() + SECOND).toISOString();
  const message = { from_claude: "ada", to_claude: "bob", task: "t", expires_at };
  expect((await http(`${hub.url}/message`, { method: "POST", body: message })).status).toBe(201);
  for (let i = 0; i < 2; i++) {
    store.isFullFor = ({ op }) => op === "wake";
    await pass(clock, 10 * SECOND);
    expect(store.refused.length).toBeGreaterThan(5);
    store.isFullFor = () => false;
    await pass(clock, 2 * SECOND);
    clock.step(10 * SECOND); // has the store woken again
  }
  const once = ["failed: waking what is due", "works again: waking what is due"];
  expect(notes()).toEqual([...once, ...once]);
});

test("what fails otherwise than before is told of anew", async () => {
  const { store, clock, hub, notes } = await start();
  await RawSocket.greet(hub.wsUrl, { claude_id: "ada", presence: true });
  const fail = (why: string) => {
    store.workload = () => Promise.reject(new Error(why));
  };
  for (const why of ["the disk is away", "the disk is broken"]) {
    fail(why);
    await RawSocket.greet(hub.wsUrl, { claude_id: why.replaceAll(" ", "-") });
    await pass(clock, 5 * SECOND);
  }
  expect(notes()).toEqual(["failed: telling presence", "failed: telling presence"]);
  expect(hub.logged.map((line) => JSON.parse(line).err.message)).toEqual(["the disk is away", "the disk is broken"]);
});
