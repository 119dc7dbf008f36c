/** BullMQ: a queue and a worker; the sender listens to the queue's events, once, for all its jobs. */
import { type ConnectionOptions, Queue, QueueEvents, Worker } from "bullmq";
import { optional } from "../os/missing.ts";
import { type Driver, RESULT, TASK, Waiting } from "./driver.ts";

interface IoRedis {
  Redis: new (options: object) => { quit(): Promise<unknown> };
}

const QUEUE = "tasks";

/** What suits BullMQ best, found by trying: with as many slots as jobs its worker is several times slower. */
const slots = (inFlight: number) => Math.min(64, Math.ceil(inFlight / 4));

export async function openBullMq(port: number, inFlight: number): Promise<Driver> {
  const { Redis } = await optional<IoRedis>("ioredis");
  const client = new Redis({ host: "127.0.0.1", port, maxRetriesPerRequest: null });
  const connection = client as ConnectionOptions;
  const queue = new Queue(QUEUE, { connection });
  const worker = new Worker(QUEUE, async () => RESULT, { connection, concurrency: slots(inFlight) });
  const events = new QueueEvents(QUEUE, { connection });
  const waiting = new Waiting();
  events.on("completed", ({ jobId }) => waiting.arrived(jobId));
  await Promise.all([queue.waitUntilReady(), worker.waitUntilReady(), events.waitUntilReady()]);
  return {
    run: async () => {
      const job = await queue.add("task", { task: TASK });
      await waiting.for(job.id as string);
    },
    close: async () => {
      await Promise.all([worker.close(), events.close(), queue.close()]);
      await client.quit();
    },
  };
}
