import { expect, it } from "vitest";
import type { Caller } from "../../../../client/sdk/calls/insist.ts";
import { systemClock } from "../../../../client/sdk/clock.ts";
import { followLog } from "../../../../client/sdk/events/followLog.ts";
import { startHub } from "../../../support/hub.ts";
import { HubProcess } from "../../../support/processes.ts";
import { join } from "../support.ts";

it("follows another's log over a restart of the hub, and says where it begins, also when the log was lost", async () => {
  const server = await HubProcess.start();
  const bob = await join(server.url, { as: "bob" });
  const caller: Caller = { clock: systemClock, call: bob.call.bind(bob) as Caller["call"] };
  const log = followLog(caller, "carl");
  const next = async () => {
    const { isBeginning, events } = (await log.next()).value;
    return [isBeginning, ...events.map(({ message }) => message.task)];
  };
  expect(await next()).toEqual([true]);
  await bob.chat("carl", "one");
  expect(await next()).toEqual([false, "one"]);
  const other = await startHub();
  await other.close();
  const following = next();
  await server.kill();
  await startHub({ port: server.port, db: other.db });
  expect(await following).toEqual([true]);
  await bob.chat("carl", "in another log");
  expect(await next()).toEqual([false, "in another log"]);
});
