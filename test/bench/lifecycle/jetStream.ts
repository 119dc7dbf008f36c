/**
 * JetStream: tasks in a work queue stream, read by a durable pull consumer with explicit acknowledgement; results in
 * a second stream. The worker acknowledges a task once its result is stored.
 *
 * Done in two ways. *Lean*: the sender hears of results as they pass, and nobody answers the worker's acknowledgement.
 * *Kept promises*, which are those of the hub: what is published twice is there once, the worker knows that its
 * acknowledgement came in (JetStream's "double ack"), and results wait for a sender that is away.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  AckPolicy,
  type ConsumerMessages,
  connect,
  type JetStreamClient,
  type JsMsg,
  type NatsConnection,
  RetentionPolicy,
} from "nats";
import { type Driver, type OpenDriver, RESULT, TASK, Waiting } from "./driver.ts";

const TASKS = { stream: "tasks", subject: "task", consumer: "worker" };
const RESULTS = { stream: "results", subject: "result", consumer: "sender" };
const PULL_MESSAGES = 512;

/** What the two ways differ in. */
interface Way {
  publish(stream: JetStreamClient, subject: string, id: string, body: object): Promise<unknown>;
  acknowledge(message: JsMsg): unknown;
  listen(sender: NatsConnection, inFlight: number, arrived: (id: string) => void): Promise<unknown>;
}

const LEAN: Way = {
  publish: (stream, subject, id, body) => stream.publish(subject, JSON.stringify({ id, ...body })),
  acknowledge: (message) => message.ack(),
  async listen(sender, _inFlight, arrived) {
    sender.subscribe(RESULTS.subject, { callback: (_error, message) => arrived(idOf(message)) });
  },
};

const KEPT_PROMISES: Way = {
  publish: (stream, subject, id, body) => stream.publish(subject, JSON.stringify({ id, ...body }), { msgID: id }),
  acknowledge: (message) => message.ackAck(),
  listen: (sender, inFlight, arrived) =>
    consume(sender, RESULTS, inFlight, (message) => {
      arrived(idOf(message));
      message.ack();
    }),
};

export const openJetStream: OpenDriver = (port, inFlight) => open(port, inFlight, LEAN);

export const openJetStreamKeptPromises: OpenDriver = (port, inFlight) => open(port, inFlight, KEPT_PROMISES);

async function open(port: number, inFlight: number, way: Way): Promise<Driver> {
  const servers = `127.0.0.1:${port}`;
  const [sender, worker] = await Promise.all([connect({ servers }), connect({ servers })]);
  await createStreams(sender);
  const waiting = new Waiting();
  await way.listen(sender, inFlight, (id) => waiting.arrived(id));
  const results = worker.jetstream();
  let underWay = 0;
  const consumed = await consume(worker, TASKS, inFlight, async (message) => {
    underWay++;
    await way.publish(results, RESULTS.subject, idOf(message), { result: RESULT });
    await way.acknowledge(message);
    underWay--;
  });
  const tasks = sender.jetstream();
  const life = randomUUID();
  let serial = 0;
  return {
    run: () => {
      const id = `${life}-${++serial}`;
      const told = waiting.for(id);
      return way.publish(tasks, TASKS.subject, id, { task: TASK }).then(() => told);
    },
    close: async () => {
      while (underWay > 0) await sleep(1); // the sender knows a result before the worker's acknowledgement is answered
      await consumed.close();
      await Promise.all([sender.drain(), worker.drain()]);
    },
  };
}

async function createStreams(connection: NatsConnection): Promise<void> {
  const { streams } = await connection.jetstreamManager();
  await streams.add({ name: TASKS.stream, subjects: [TASKS.subject], retention: RetentionPolicy.Workqueue });
  await streams.add({ name: RESULTS.stream, subjects: [RESULTS.subject] });
}

async function consume(
  connection: NatsConnection,
  { stream, consumer }: typeof TASKS,
  inFlight: number,
  take: (message: JsMsg) => unknown,
): Promise<ConsumerMessages> {
  const { consumers } = await connection.jetstreamManager();
  await consumers.add(stream, { durable_name: consumer, ack_policy: AckPolicy.Explicit, max_ack_pending: 4096 });
  const durable = await connection.jetstream().consumers.get(stream, consumer);
  return durable.consume({
    max_messages: Math.max(inFlight, PULL_MESSAGES),
    callback: (message) => void take(message),
  });
}

const idOf = (message: Pick<JsMsg, "json">) => message.json<{ id: string }>().id;
