/** What many ask for in one turn of the event loop does not cost others many times as much. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { OncePerTurn, OneATurn, OneAtATime } from "../../../server/hub/turns.ts";
import { startHub } from "../../support/hub.ts";
import { RawSocket } from "../../support/rawSocket.ts";

test("calls for the same thing share one a turn", async () => {
  const calls = new OncePerTurn<string, number>();
  let begun = 0;
  const call = (key: string) => calls.call(key, async () => ++begun);
  expect(await Promise.all([call("a"), call("b"), call("a")])).toEqual([1, 2, 1]);
  await nextTurn();
  expect(await call("a")).toBe(3);
});

test("a refusal is everybody's, and is not remembered", async () => {
  const calls = new OncePerTurn<string, string>();
  const refused = () => Promise.reject(new Error("busy"));
  const asked = [calls.call("a", refused), calls.call("a", refused)];
  for (const one of asked) await expect(one).rejects.toThrow("busy");
  await nextTurn();
  expect(await calls.call("a", async () => "done")).toBe("done");
});

test("long computations take a turn each, the first at once", async () => {
  const long = new OneATurn();
  const done: number[] = [];
  for (const i of [1, 2, 3]) void long.wait().then(() => done.push(i));
  setImmediate(() => done.push(0));
  await nextTurn();
  expect(done.slice(0, 2)).toEqual([1, 0]);
  await nextTurn();
  await nextTurn();
  expect(done).toEqual([1, 0, 2, 3]);
  await long.wait();
});

test("what is done one after another goes on after a failure", async () => {
  const one = new OneAtATime();
  const done: string[] = [];
  const failed = one.run(async () => {
    await nextTurn();
    done.push("failed");
    throw new Error("full");
  });
  const next = one.run(async () => done.push("next"));
  await expect(failed).rejects.toThrow("full");
  await next;
  expect(done).toEqual(["failed", "next"]);
});

test("templates in one frame are kept one after another, and what others send comes in between", async () => {
  const { wsUrl } = await startHub();
  const ada = await RawSocket.greet(wsUrl, { claude_id: "ada" });
  const bob = await RawSocket.greet(wsUrl, { claude_id: "bob" });
  const message = { to_claude: "bob", task: "count" };
  const MANY = 200;
  ada.send(
    Array.from({ length: MANY }, (_, i) => {
      return { jsonrpc: "2.0", id: `t${i}`, method: "template_put", params: { name: `t${i}`, message } };
    }),
  );
  await ada.answer("t0");
  await bob.call("send", { to_claude: "ada", task: "hello" });
  const kept = ada.received.filter(({ id }) => String(id).startsWith("t")).length;
  expect(kept).toBeLessThan(MANY);
  await ada.answer(`t${MANY - 1}`);
});

test("schedules that never come, asked for in one frame, are refused one by one, and others are answered meanwhile", async () => {
  const { wsUrl } = await startHub();
  const [ada, bob] = [
    await RawSocket.greet(wsUrl, { claude_id: "ada" }),
    await RawSocket.greet(wsUrl, { claude_id: "bob" }),
  ];
  const message = { to_claude: "bob", task: "never" };
  const refused: number[] = [];
  const frame = Array.from({ length: 20 }, (_, i) => {
    const params = { name: `s${i}`, cron: "0 0 31 2 *", message };
    void ada.answer(`s${i}`).then(({ error }) => error?.data?.code === "invalid_params" && refused.push(i));
    return { jsonrpc: "2.0", id: `s${i}`, method: "schedule_put", params };
  });
  ada.send(frame);
  await ada.answer("s0");
  await bob.call("stats", {});
  expect(refused.length).toBeLessThan(20);
  await ada.answer("s19");
  expect(refused).toHaveLength(20);
});
