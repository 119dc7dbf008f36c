/** The hub without its SDK: how fast the wire alone can be. */
import { ChurnSet } from "../../../client/sdk/churn.ts";
import type { EventMessage, Message, Page } from "../../../shared/index.ts";
import { HubSocket } from "../lean/hubSocket.ts";
import { type Driver, RESULT, TASK, Waiting } from "./driver.ts";

const WORKER = "bench_worker";

export async function openHubSocket(port: number): Promise<Driver> {
  const waiting = new Waiting();
  const underWay = new ChurnSet<Promise<void>>();
  const asSender = { claude_id: "bench_sender", run: `sender-${process.pid}` };
  const { hub: sender } = await HubSocket.open(port, asSender, (page) => {
    for (const id of idsOf(page, "completed")) waiting.arrived(id);
  });
  const asWorker = { claude_id: WORKER, run: `worker-${process.pid}`, receives: true };
  const { hub: worker } = await HubSocket.open(port, asWorker, (page) => {
    for (const id of idsOf(page, "new")) {
      const done = work(worker, id);
      void done.then(underWay.add(done));
    }
  });
  return {
    run: async () => {
      const { message } = await sender.request<{ message: Message }>("send", { to_claude: WORKER, task: TASK });
      await waiting.for(message.id);
    },
    close: async () => {
      await Promise.all(underWay); // the sender knows a result before its worker is told that it has come in
      await Promise.all([sender.close(), worker.close()]);
    },
  };
}

async function work(worker: HubSocket, id: string): Promise<void> {
  const { attempt } = await worker.request<EventMessage>("claim", { id });
  await worker.request("complete", { id, attempt, result: RESULT });
}

const idsOf = (page: Page, kind: string) =>
  page.events.filter((event) => event.kind === kind).map((event) => event.message.id);
