/** Workers whose hub goes on from a backup: what they did since never happened. */
import { expect, it } from "vitest";
import { http } from "../../../support/http.ts";
import { startHub, type TestHub } from "../../../support/hub.ts";
import { backUp, Heard, join } from "../support.ts";

/** Claims in bob's name, for nobody's run. */
const inAShell =
  ({ url }: TestHub) =>
  async ({ id }: { id: string }) => {
    await http(`${url}/message/${id}/claim`, { method: "POST", headers: { "x-claude-id": "bob" }, body: {} });
    return { id };
  };

it.each(["websocket", "long_poll"] as const)(
  "a task that was taken away in the time that is lost is done all the same (%s)",
  async (transport) => {
    const server = await startHub();
    const [ada, bob] = [await join(server.url, { as: "ada" }), await join(server.url, { as: "bob", transport })];
    const requeued = new Heard(bob, "requeued");
    const task = await ada.send({ to_claude: "bob", task: "x", backoff_ms: 60_000 });
    const restore = await backUp(server);
    for (let i = 0; i < 5; i++) await ada.chat("carl", "the log grows");
    let tries = 0;
    bob.work(() => {
      if (++tries === 1) throw Object.assign(new Error("not now"), { retryable: true });
      return "done";
    });
    await requeued.count(1);
    await restore();
    expect(await task.result()).toMatchObject({ result: "done", attempt: 1 });
    await bob.close(); // before the hub, for which its worker would wait
  },
);

it.each(["websocket", "long_poll"] as const)(
  "a task that is in progress again, and was ended in the time that is lost, is done again (%s)",
  async (transport) => {
    const server = await startHub();
    const [ada, bob] = [await join(server.url, { as: "ada" }), await join(server.url, { as: "bob", transport })];
    const rival = await join(server.url, { as: "bob", transport });
    const claims = [rival.claim.bind(rival), bob.claim.bind(bob), inAShell(server)];
    const kept = await Promise.all(
      claims.map(async (claim) => claim({ id: (await ada.send({ to_claude: "bob", task: "kept" })).id })),
    );
    let restore = () => Promise.resolve(server);
    const tries: unknown[] = [];
    bob.work(async (_, { attempt }) => {
      if (tries.push(attempt) === 1) restore = await backUp(server);
      return `try ${tries.length}`;
    });
    const task = await ada.send({ to_claude: "bob", task: "x" });
    expect(await task.result()).toMatchObject({ result: "try 1" });
    await restore();
    expect(await task.result()).toMatchObject({ result: "try 2" });
    expect(tries).toEqual([1, 2]);
    for (const { id } of kept) expect(await ada.get({ id })).toMatchObject({ status: "in_progress", attempt: 1 });
    await bob.close();
  },
);
