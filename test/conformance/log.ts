/** A log worth reading: several instances do random work, and a last event says that all is told. */
import type { Event, EventMessage } from "../../shared/event.ts";
import { HubError } from "../../shared/index.ts";
import type { Random } from "../support/random.ts";
import { RawSocket } from "../support/rawSocket.ts";
import type { Place } from "./readers.ts";

export const NAMES = ["ada", "bob", "cyd"] as const;

/** What an instance may see of the log; an observer (undefined) sees all. */
export const visibleTo =
  (name: string | undefined) =>
  ({ message: { from_claude, to_claude } }: Event): boolean =>
    name === undefined || from_claude === name || to_claude === name || to_claude === "*";

const LAST = "that was all";

/** Recognizes the event by which `Workers.finish` ends a log. */
export const isLast = ({ message }: Event): boolean => message.task === LAST;

/** Does work on a hub under all the names. */
export class Workers {
  readonly #socket: RawSocket;
  readonly #random: Random;
  readonly #ids: string[] = [];
  #sent = 0;

  private constructor(socket: RawSocket, random: Random) {
    this.#socket = socket;
    this.#random = random;
  }

  static async start({ wsUrl }: Place, random: Random): Promise<Workers> {
    return new Workers(await RawSocket.greet(wsUrl), random);
  }

  /** Performs so many operations; those that the state of a message does not allow count too. */
  async work(steps: number, contextChars = 0): Promise<void> {
    for (let i = 0; i < steps; i++) await this.#step(contextChars);
  }

  /** Tells everyone that this is the last event. */
  async finish(): Promise<void> {
    await this.send("*", LAST);
  }

  async send(to: string, task = `message ${++this.#sent}`, context?: string): Promise<EventMessage> {
    const { message } = await this.#socket.call("send", {
      from_claude: this.#random.pick(NAMES),
      to_claude: to,
      task,
      type: to === "*" ? "chat" : this.#random.pick(["task", "task", "chat"]),
      ...(context !== undefined && { context }),
    });
    return message;
  }

  delete(id: string) {
    return this.#socket.call("delete", { id });
  }

  /** The whole log from a cursor on, as an observer reads it event by event. */
  async log(after: string): Promise<Event[]> {
    const events: Event[] = [];
    for (let at = after; ; ) {
      const page = await this.#socket.call("events", { after: at, limit: 1 });
      if (page.events.length === 0) return events;
      events.push(...page.events);
      at = page.cursor;
    }
  }

  /** The log's present position. */
  async head(): Promise<string> {
    return (await this.#socket.call("info", {})).cursor;
  }

  async #step(contextChars: number): Promise<void> {
    if (this.#ids.length === 0 || this.#random.next() < 0.4) {
      const to = this.#random.pick([...NAMES, ...NAMES, "*"]);
      const context = contextChars > 0 ? "c".repeat(this.#random.int(2 * contextChars)) : undefined;
      this.#ids.push((await this.send(to, undefined, context)).id);
      return;
    }
    const id = this.#random.pick(this.#ids);
    const status = this.#random.pick(["in_progress", "in_progress", "complete", "failed", "pending"] as const);
    const told = { complete: { result: "\u0000 “done”\n" }, failed: { error: "it broke: \ud83d\udca5" } };
    const said = status === "complete" || status === "failed" ? told[status] : {};
    await this.#socket.call("update", { id, status, ...said }).catch((error) => {
      if (!(error instanceof HubError && ["wrong_status", "lease_lost"].includes(error.code))) throw error;
    });
  }
}
