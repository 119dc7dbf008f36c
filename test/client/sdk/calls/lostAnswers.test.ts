/** Calls that the hub carried out, whose answer was lost on its way: repeated unseen, they are told as done. */
import { describe, expect, it } from "vitest";
import { GiveBack, type Params } from "../../../../client/sdk/index.ts";
import { Heard, join, startProxied } from "../support.ts";

/** Ada on a line that holds, bob on one whose answers can be lost. */
async function pair(transport: "websocket" | "long_poll" = "websocket") {
  const { server, proxy, url } = await startProxied();
  const ada = await join(server.url, { as: "ada" });
  return { ada, bob: await join(url, { as: "bob", transport }), proxy };
}

it.each([
  ["given back", "released", () => new GiveBack("busy", { rest_ms: 0 })],
  ["to be tried again", "requeued", () => Object.assign(new Error("busy"), { retryable: true })],
] as const)("a task that is %s, also when it has been claimed again since", async (_, kind, thrown) => {
  const { ada, bob, proxy } = await pair();
  const [claimed, late] = [new Heard(ada, "claimed"), new Heard(ada, "late")];
  const told: Promise<unknown>[] = [];
  const worker = bob.work((_, context) => {
    told.push(context.told);
    if (context.attempt > 1) return "done";
    proxy.holdAnswers();
    throw thrown();
  });
  const task = await ada.send({ to_claude: "bob", task: "x", backoff_ms: 0 });
  await claimed.count(2);
  proxy.cut();
  proxy.resume();
  expect(await task.result()).toMatchObject({ result: "done", attempt: 2 });
  expect(await Promise.all(told)).toEqual([undefined, undefined]);
  await worker.close();
  expect((await ada.attempts({ id: task.id })).attempts[0]).toMatchObject({ outcome: kind, error: "busy" });
  expect(late.all).toEqual([]);
});

it.each(["websocket", "long_poll"] as const)("a task that is claimed by update over %s", async (transport) => {
  const { ada, bob, proxy } = await pair(transport);
  const claimed = new Heard(ada, "claimed");
  const { id } = await ada.send({ to_claude: "bob", task: "x" });
  proxy.holdAnswers();
  const updated = bob.update({ id, status: "in_progress" });
  await claimed.count(1);
  proxy.cut();
  proxy.resume();
  expect(await updated).toMatchObject({ id, status: "in_progress", claimed_by: "bob", attempt: 1 });
});

describe.each(["websocket", "long_poll"] as const)("deleted over %s", (transport) => {
  const said = { to_claude: "bob", task: "x" };

  it.each([
    ["delete", "get"],
    ["schedule_delete", "schedule_get"],
    ["template_delete", "template_get"],
  ] as const)("%s; what was gone before is not found", async (operation, read) => {
    const { ada, bob, proxy } = await pair(transport);
    const { id } = await ada.send(said);
    await ada.schedulePut({ name: "n", cron: "0 0 1 1 *", message: { from_claude: "ada", ...said } });
    await ada.templatePut({ name: "n", message: said });
    const params = (operation === "delete" ? { id } : { name: "n" }) as Params<typeof operation>;
    const isThere = () => ada.call(read, params as Params<typeof read>).then(Boolean, () => false);
    proxy.holdAnswers();
    const deleted = bob.call(operation, params);
    while (await isThere());
    proxy.cut();
    proxy.resume();
    expect(await deleted).toEqual({ ...params, deleted: true });
    await expect(bob.call(operation, params)).rejects.toMatchObject({ code: "not_found" });
  });
});

it("a task that two callers of one run claim by update is given to one of them", async () => {
  const { ada, bob } = await pair("websocket");
  const { id } = await ada.send({ to_claude: "bob", task: "x" });
  const claim = () => bob.update({ id, status: "in_progress" });
  const both = await Promise.allSettled([claim(), claim()]);
  expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
});
