/** The hub through `hub.work()`: the worker is handed tasks, and says results by returning them. */
import { connect } from "../../../client/sdk/index.ts";
import { type Driver, RESULT, TASK } from "./driver.ts";

const WORKER = "bench_worker";

/** With more slots than this nothing is won. */
const slots = (inFlight: number) => Math.min(512, inFlight);

export async function openHubWork(port: number, inFlight: number): Promise<Driver> {
  const url = `http://127.0.0.1:${port}/api/coord`;
  const [sender, worker] = await Promise.all([connect({ as: "bench_sender", url }), connect({ as: WORKER, url })]);
  worker.work(() => RESULT, { concurrency: slots(inFlight) });
  return {
    run: async () => {
      const task = await sender.send({ to_claude: WORKER, task: TASK });
      await task.result();
    },
    close: async () => {
      await Promise.all([sender.close(), worker.close()]);
    },
  };
}
