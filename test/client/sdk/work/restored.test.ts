/** Workers whose hub goes on from a backup: what they did since never happened. */
import { join as path } from "node:path";
import { expect, it } from "vitest";
import type { Moment } from "../../../../server/clock.ts";
import { SqliteStore } from "../../../../server/store/sqlite/sqliteStore.ts";
import type { StoreCommand } from "../../../../server/store/storeCommands.ts";
import { HubError } from "../../../../shared/errors.ts";
import { LEASE } from "../../../server/core/support.ts";
import { http } from "../../../support/http.ts";
import { startHub, type TestHub } from "../../../support/hub.ts";
import { tempDir } from "../../../support/tempDir.ts";
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

it.each(["websocket", "long_poll"] as const)(
  "a task that the hub knows no more is not done any further (%s)",
  async (transport) => {
    const server = await startHub();
    const [ada, bob] = [await join(server.url, { as: "ada" }), await join(server.url, { as: "bob", transport })];
    const restore = await backUp(server);
    const lost = new Promise((resolve) => {
      bob.work(async (_, { signal }) => {
        signal.addEventListener("abort", () => resolve(signal.reason));
        await restore();
        await lost;
      });
    });
    await ada.send({ to_claude: "bob", task: "x" });
    expect(await lost).toMatchObject({ why: "deleted" });
    await bob.close();
  },
);

/** Has no room for what comes of a run being back, until the run itself has given a task back. */
class StoreWithoutRoom extends SqliteStore {
  #hasRoom = false;

  override async commit(commands: readonly StoreCommand[], at: Moment) {
    const releases = commands.some((command) => command.op === "change" && command.command.op === "release");
    const isFull = !this.#hasRoom && (releases || commands.some(({ op }) => op === "keep"));
    this.#hasRoom ||= releases;
    if (isFull) throw new HubError("storage_full", "The disk is full");
    return super.commit(commands, at);
  }
}

it("a task that nobody does is given back, although the hub could not write yet that its run is back", async () => {
  const server = await startHub();
  const [ada, bob] = [await join(server.url, { as: "ada" }), await join(server.url, { as: "bob" })];
  const file = path(tempDir(), "backup.db");
  const task = await ada.send({ to_claude: "bob", task: "x" });
  const worker = bob.work(async () => await server.hub.backup(file));
  await task.result();
  await worker.close();
  await server.close();
  const released = new Heard(ada, "released");
  await startHub({ port: server.port, store: new StoreWithoutRoom({ file, lease: LEASE }) });
  expect(await released.count(1)).toMatchObject([{ message: { id: task.id, status: "pending" } }]);
});
