/** Claims that the hub carried out and the caller was told had failed: what they brought goes back. */
import { describe, expect, it } from "vitest";
import type { Hub } from "../../../../client/sdk/index.ts";
import { ManualClock } from "../../../support/clock.ts";
import { Heard, join, later, reaches, startProxied } from "../support.ts";

type Transport = "websocket" | "long_poll";

/** Ada on a line that holds, bob on one whose answers can be lost, and a task for him. */
async function scene(transport: Transport, clock?: ManualClock) {
  const { server, proxy, url } = await startProxied();
  const ada = await join(server.url, { as: "ada" });
  const [claimed, released] = [new Heard(ada, "claimed"), new Heard(ada, "released")];
  const bob = await join(url, { as: "bob", transport, ...(clock && { clock }) });
  return { ada, bob, proxy, claimed, released, send: () => ada.send({ to_claude: "bob", task: "x" }) };
}

const SOON = { timeout_ms: 50 };

describe.each(["websocket", "long_poll"] as const)("over %s", (transport) => {
  it.each([
    ["claim", (bob: Hub, id: string) => bob.claim({ id }, SOON)],
    ["claim_next", (bob: Hub) => bob.claimNext({ wait_ms: 50 }, SOON)],
    ["update to in_progress", (bob: Hub, id: string) => bob.update({ id, status: "in_progress" }, SOON)],
  ])("a %s that was not answered in time gives the task back, also when its line is lost", async (_, claim) => {
    const { bob, proxy, claimed, released, send } = await scene(transport);
    for (const isLost of [false, true]) {
      const { id } = await send();
      proxy.holdAnswers();
      const late = later(claim(bob, id));
      await claimed.find(({ message }) => message.id === id);
      await expect(late).rejects.toMatchObject({ code: "call_timeout" });
      if (isLost) proxy.cut();
      proxy.resume();
      expect(await released.find(({ message }) => message.id === id)).toMatchObject({ message: { attempt: 1 } });
      await bob.cancel({ id });
    }
  });

  it("a claim with a key of the caller's own stays: the caller can ask again", async () => {
    const { bob, proxy, claimed, released, send } = await scene(transport);
    const { id } = await send();
    proxy.holdAnswers();
    const late = later(bob.claimNext({ claim_key: "mine" }, SOON));
    await claimed.count(1);
    await expect(late).rejects.toMatchObject({ code: "call_timeout" });
    proxy.cut();
    proxy.resume();
    expect(await bob.claimNext({ claim_key: "mine" })).toMatchObject({ id, attempt: 1 });
    expect(released.all).toEqual([]);
  });
});

it("a claim that is lost twice gives the task back", async () => {
  const { bob, proxy, claimed, released, send } = await scene("websocket");
  const { id } = await send();
  const breakLine = () => {
    proxy.cut();
    proxy.resume();
  };
  proxy.holdAnswers();
  const lost = later(bob.claim({ id }));
  await claimed.count(1);
  breakLine();
  await reaches(bob, "waiting");
  await reaches(bob, "online");
  proxy.holdAnswers(); // before the repeat leaves
  setImmediate(() => setImmediate(breakLine));
  await expect(lost).rejects.toMatchObject({ code: "connection_lost" });
  await released.count(1);
});

it("a question of a worker that is asked again keeps its task, however late the first answer is", async () => {
  const clock = new ManualClock();
  const { ada, bob, proxy, claimed, released, send } = await scene("long_poll", clock);
  bob.work(() => "done");
  await bob.stats(); // the question for a task is at the hub
  proxy.holdAnswers();
  const task = await send();
  await claimed.count(1);
  clock.advance(60_000); // it is asked again
  await ada.stats();
  proxy.resume();
  expect(await task.result()).toMatchObject({ result: "done", attempt: 1 });
  expect(released.all).toEqual([]);
});
