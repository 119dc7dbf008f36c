/** Tasks that a handler gives back untried. */
import { expect, it } from "vitest";
import { GiveBack, type Loss } from "../../../../client/sdk/index.ts";
import { LIMITS } from "../../../../shared/index.ts";
import { startHub } from "../../../support/hub.ts";
import { Heard, join } from "../support.ts";

/** Ada sends tasks to bob. */
async function pair(transport: "websocket" | "long_poll" = "websocket") {
  const { url } = await startHub();
  const [ada, bob] = [await join(url, { as: "ada" }), await join(url, { as: "bob", transport })];
  return { ada, bob, send: (task: string, more = {}) => ada.send({ to_claude: "bob", task, ...more }) };
}

it("costs it no try", async () => {
  const { bob, send } = await pair();
  const told: Promise<Loss | undefined>[] = [];
  bob.work((_, context) => {
    told.push(context.told);
    if (context.attempt < 5) throw new GiveBack("not now", { rest_ms: 1 });
    return "now";
  });
  const task = await send("x", { max_attempts: 1 });
  expect(await task.result()).toMatchObject({ result: "now", attempt: 5 });
  expect(await Promise.all(told)).toEqual(told.map(() => undefined));
});

it("lets those behind it come first, and its sender may read why", async () => {
  const { ada, bob, send } = await pair();
  bob.work(({ task }) => {
    if (task === "not mine") throw new GiveBack("another should do it");
    return "done";
  });
  const [first, behind] = [await send("not mine"), await send("mine")];
  expect(await behind.result()).toMatchObject({ result: "done" });
  const { attempts } = await ada.attempts({ id: first.id });
  expect(attempts[0]).toMatchObject({ outcome: "released", error: "another should do it" });
});

it.each([
  [-5, 0],
  [1000.5, 1001],
  [Number.NaN, 1000],
  [undefined, 1000],
  ["soon" as never, 1000],
  [1e15, LIMITS.duration_ms],
  [Number.POSITIVE_INFINITY, LIMITS.duration_ms],
])("a rest of %s ms is one of %s ms", (said, meant) => {
  expect(new GiveBack("not now", { rest_ms: said as number }).rest_ms).toBe(meant);
});

it.each(["websocket", "long_poll"] as const)(
  "although the hub does not take what was said of it, which is told as an error (%s)",
  async (transport) => {
    const { bob, send } = await pair(transport);
    const errors = new Heard(bob, "error");
    const told: Promise<Loss | undefined>[] = [];
    bob.work((_, context) => {
      told.push(context.told);
      if (context.attempt === 1) throw Object.assign(new GiveBack("not now"), { rest_ms: -5 });
      return "now";
    });
    expect(await (await send("x")).result()).toMatchObject({ result: "now", attempt: 2 });
    expect(await Promise.all(told)).toEqual([undefined, undefined]);
    expect(errors.all).toMatchObject([{ code: "invalid_params" }]);
  },
);
