/**
 * Clients that send, claim, complete, fail and release without a pause, whatever becomes of the hub, and note outside
 * of it what it acknowledged. Everything has a key or an attempt, and is asked again until it is answered.
 */
import { setTimeout } from "node:timers/promises";
import type { Hub } from "../../../client/sdk/index.ts";
import { HubError } from "../../../shared/errors.ts";
import type { EventKind } from "../../../shared/event.ts";
import type { Message } from "../../../shared/message.ts";
import { defer } from "../../support/defer.ts";
import type { Random } from "../../support/random.ts";
import { RawSocket } from "../../support/rawSocket.ts";
import type { Acknowledged } from "./logChecker.ts";

/** Another run has the task, or its end is known: the claim is over, and nothing more is to be said. */
const OVER = new Set(["lease_lost", "wrong_status", "not_found"]);
const RAW_BATCH = 16;
const AGAIN_MS = 20;

export class Load {
  readonly acknowledged: Acknowledged[] = [];
  readonly #random: Random;
  readonly #recipients: readonly string[];
  readonly #actors: Promise<void>[] = [];
  readonly #looks = new Set<() => void>();
  #sends = true;
  #works = true;
  #isAbandoned = false;
  #fail!: (error: unknown) => void;
  /** Rejects when a client is refused what it must be given. */
  readonly #failure = new Promise<never>((_, reject) => {
    this.#fail = reject;
  });

  /** Begins nothing; messages will go to `recipients`. What was begun ends with the test at the latest. */
  constructor(random: Random, recipients: readonly string[]) {
    this.#random = random;
    this.#recipients = recipients;
    this.#failure.catch(() => {});
    defer(() => {
      this.#isAbandoned = true;
    });
  }

  /** Sends over the SDK, so many at a time. */
  send(hub: Hub, atOnce: number): void {
    for (let lane = 0; lane < atOnce; lane++) this.#act(this.#sendOn(hub, `${hub.as}-${lane}`));
  }

  /** Sends over a bare socket, a batch a frame; after a loss the whole batch again, on the next line. */
  sendRaw(wsUrl: string, name: string): void {
    this.#act(this.#sendBatches(wsUrl, name));
  }

  /** Claims tasks and ends them in every way, so many at a time. */
  work(hub: Hub, atOnce: number): void {
    for (let lane = 0; lane < atOnce; lane++) this.#act(this.#workOn(hub, `${hub.as}-${lane}`));
  }

  /** Resolves after so many acknowledgements from now. */
  acknowledges(count: number): Promise<void> {
    const goal = this.acknowledged.length + count;
    const reached = new Promise<void>((resolve) => {
      const look = () => {
        if (this.acknowledged.length < goal) return;
        this.#looks.delete(look);
        resolve();
      };
      this.#looks.add(look);
    });
    return Promise.race([reached, this.#failure]);
  }

  /** Sends nothing new; everything that was begun is brought to its end, and every task too. */
  async finish(isDone: () => Promise<boolean>): Promise<void> {
    this.#sends = false;
    while (!(await isDone())) await this.acknowledges(1);
    this.#works = false;
    await Promise.all(this.#actors);
  }

  #act(actor: Promise<void>): void {
    this.#actors.push(actor);
    actor.catch(this.#fail);
  }

  #note(kind: EventKind, { id, attempt }: Message, text?: string): void {
    this.acknowledged.push({ kind, id, attempt, text });
    for (const look of [...this.#looks]) look();
  }

  async #sendOn(hub: Hub, lane: string): Promise<void> {
    for (let n = 0; this.#sends; n++) {
      const said = this.#said(`${lane}-${n}`);
      const { message } = await this.#again(() => hub.send(said));
      this.#note("new", message, said.task);
    }
  }

  async #sendBatches(wsUrl: string, name: string): Promise<void> {
    for (let n = 0; this.#sends; n++) {
      const batch = Array.from({ length: RAW_BATCH }, (_, i) => this.#said(`${name}-${n}-${i}`));
      const messages = await this.#again(() => sendBatch(wsUrl, name, batch));
      for (const [i, message] of messages.entries()) this.#note("new", message, batch[i]?.task);
    }
  }

  async #workOn(hub: Hub, lane: string): Promise<void> {
    for (let n = 0; this.#works; n++) {
      const task = await this.#again(() => hub.claimNext({ claim_key: `${lane}-${n}`, wait_ms: 250 }));
      if (!task) continue;
      this.#note("claimed", task);
      await this.#end(hub, task).catch((error) => {
        if (!isOver(error)) throw error;
      });
    }
  }

  async #end(hub: Hub, task: Message): Promise<void> {
    const { id, attempt = 0 } = task;
    const way = this.#random.int(10);
    if (way === 0 && attempt < 3) {
      await this.#again(() => hub.fail({ id, attempt, retryable: true, error: "try again" }));
      this.#note("requeued", task);
    } else if (way === 1 && attempt < 3) {
      await this.#again(() => hub.release({ id, attempt }));
      this.#note("released", task);
    } else {
      const result = `${id} by ${hub.as} in ${attempt}`;
      await this.#again(() => hub.complete({ id, attempt, result }));
      this.#note("completed", task, result);
    }
  }

  /** Asks until there is an answer. @throws Error that another try would not change. */
  async #again<T>(ask: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (this.#isAbandoned || (error as { retryable?: boolean }).retryable === false) throw error;
        await setTimeout(AGAIN_MS);
      }
    }
  }

  #said(text: string) {
    const type = this.#random.int(5) === 0 ? ("chat" as const) : ("task" as const);
    const to_claude = this.#random.pick(this.#recipients);
    return { to_claude, type, task: text, idempotency_key: text, backoff_ms: 0, max_attempts: 9 };
  }
}

/** Whether a claim ended without our doing. */
const isOver = (error: unknown) => error instanceof HubError && OVER.has(error.code);

async function sendBatch(wsUrl: string, name: string, batch: readonly object[]): Promise<Message[]> {
  const socket = await RawSocket.greet(wsUrl, { claude_id: name });
  try {
    socket.send(batch.map((params, id) => ({ jsonrpc: "2.0", id: `${id}`, method: "send", params })));
    const answers = await Promise.all(batch.map((_, id) => socket.answer(`${id}`)));
    return answers.map(({ result, error }) => {
      if (error) throw new Error(error.message);
      return (result as { message: Message }).message;
    });
  } finally {
    socket.ws.terminate();
  }
}
