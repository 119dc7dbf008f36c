/** The hub through its SDK: what its users get. The worker claims each task as it is told of it. */
import { connect } from "../../../client/sdk/index.ts";
import { type Driver, RESULT, TASK } from "./driver.ts";

const WORKER = "bench_worker";

export async function openHubSdk(port: number): Promise<Driver> {
  const url = `http://127.0.0.1:${port}/api/coord`;
  const [sender, worker] = await Promise.all([connect({ as: "bench_sender", url }), connect({ as: WORKER, url })]);
  worker.on("new", async ({ message: { id } }) => {
    const { attempt } = await worker.claim({ id });
    await worker.complete({ id, attempt, result: RESULT });
  });
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
