/** The hub through its SDK: what its users get. */
import { connect, type Hub } from "../../../client/sdk/index.ts";
import { type Driver, type OpenDriver, RESULT, TASK } from "./driver.ts";

const WORKER = "bench_worker";

/** With more slots than this nothing is won. */
const slots = (inFlight: number) => Math.min(512, inFlight);

/** The worker claims each task as it is told of it. */
export const openHubSdk: OpenDriver = (port) =>
  open(port, (worker) => {
    worker.on("new", async ({ message: { id } }) => {
      const { attempt } = await worker.claim({ id });
      await worker.complete({ id, attempt, result: RESULT });
    });
  });

/** The worker is handed tasks, and says results by returning them. */
export const openHubWork: OpenDriver = (port, inFlight) =>
  open(port, (worker) => {
    worker.work(() => RESULT, { concurrency: slots(inFlight) });
  });

async function open(port: number, begin: (worker: Hub) => void): Promise<Driver> {
  const url = `http://127.0.0.1:${port}/api/coord`;
  const [sender, worker] = await Promise.all([connect({ as: "bench_sender", url }), connect({ as: WORKER, url })]);
  begin(worker);
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
