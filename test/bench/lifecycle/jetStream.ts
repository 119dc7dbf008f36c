/**
 * JetStream: tasks in a work queue stream, read by a durable pull consumer with explicit acknowledgement; results in
 * a second stream. The worker acknowledges a task once its result is stored; the sender listens to the results.
 */
import { AckPolicy, connect, type JetStreamClient, type JsMsg, type NatsConnection, RetentionPolicy } from "nats";
import { type Driver, RESULT, TASK, Waiting } from "./driver.ts";

const STREAM = "tasks";
const CONSUMER = "worker";
const PULL_MESSAGES = 512;

export async function openJetStream(port: number, inFlight: number): Promise<Driver> {
  const servers = `127.0.0.1:${port}`;
  const [sender, worker] = await Promise.all([connect({ servers }), connect({ servers })]);
  await createStreams(sender);
  const consumed = await work(worker, inFlight);
  const waiting = new Waiting();
  sender.subscribe("result", { callback: (_error, message) => waiting.arrived(message.json<{ id: string }>().id) });
  const stream = sender.jetstream();
  let serial = 0;
  return {
    run: () => {
      const id = `${process.pid}-${++serial}`;
      const told = waiting.for(id);
      return stream.publish("task", JSON.stringify({ id, task: TASK })).then(() => told);
    },
    close: async () => {
      await consumed.close();
      await Promise.all([sender.drain(), worker.drain()]);
    },
  };
}

async function createStreams(connection: NatsConnection): Promise<void> {
  const { streams, consumers } = await connection.jetstreamManager();
  await streams.add({ name: STREAM, subjects: ["task"], retention: RetentionPolicy.Workqueue });
  await streams.add({ name: "results", subjects: ["result"] });
  await consumers.add(STREAM, { durable_name: CONSUMER, ack_policy: AckPolicy.Explicit, max_ack_pending: 4096 });
}

async function work(connection: NatsConnection, inFlight: number) {
  const stream = connection.jetstream();
  const consumer = await stream.consumers.get(STREAM, CONSUMER);
  return consumer.consume({
    max_messages: Math.max(inFlight, PULL_MESSAGES),
    callback: (message) => void complete(stream, message),
  });
}

async function complete(stream: JetStreamClient, message: JsMsg): Promise<void> {
  const { id } = message.json<{ id: string }>();
  await stream.publish("result", JSON.stringify({ id, result: RESULT }));
  message.ack();
}
