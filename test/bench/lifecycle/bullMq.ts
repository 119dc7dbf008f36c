/**
 * BullMQ: a queue and a worker; the sender listens to the queue's events, once, for all its jobs.
 *
 * Done in two ways. *Pipelined equally*: the worker takes as many jobs at once as are on their way, as the hub's and
 * JetStream's do. *At its best*: it takes few, which makes it several times faster; found by trying.
 */
import { type ConnectionOptions, Queue, QueueEvents, Worker } from "bullmq";
import { optional } from "../os/missing.ts";
import { type Driver, type OpenDriver, RESULT, TASK, Waiting } from "./driver.ts";

interface IoRedis {
  Redis: new (options: object) => { quit(): Promise<unknown> };
}

const QUEUE = "tasks";

export const openBullMq: OpenDriver = (port, inFlight) => open(port, Math.min(64, Math.ceil(inFlight / 4)));

export const openBullMqPipelined: OpenDriver = (port, inFlight) => open(port, inFlight);

/** @param slots how many jobs the worker takes at once. */
async function open(port: number, slots: number): Promise<Driver> {
  const { Redis } = await optional<IoRedis>("ioredis");
  const client = new Redis({ host: "127.0.0.1", port, maxRetriesPerRequest: null });
  const connection = client as ConnectionOptions;
  const queue = new Queue(QUEUE, { connection });
  const worker = new Worker(QUEUE, async () => RESULT, { connection, concurrency: slots });
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
