/**
 * A way to the hub, whatever its transport: what was said on it, and where what it brings goes. Which line serves is up
 * to the connection.
 */
import { CLOSE, type Closing, type Hello } from "../../../shared/index.ts";
import type { Calls } from "../calls/calls.ts";
import { isRetryable } from "../errors.ts";
import type { Stream } from "../events/stream.ts";
import type { PresenceWatch } from "../presence/presenceWatch.ts";
import { isSame, type Subscription } from "./subscription.ts";
import type {
  LineClose,
  SessionStart,
  Suspects,
  Transport,
  TransportEvents,
  TransportName,
} from "./transports/transport.ts";

/** Where the traffic of a line comes from and goes to. */
export interface LinePorts {
  readonly calls: Calls;
  readonly stream: Stream;
  readonly presence: PresenceWatch;
  /** What to say first. */
  hello(): Hello;
  /** What was subscribed to last comes past this cursor. */
  subscribed(cursor: string): void;
}

/** What happens to a line. */
interface LineEvents {
  opened(): void;
  welcomed(): void;
  lost(why: LineClose): void;
  /** The hub said never. */
  refused(error: Error): void;
  closing(notice: Closing): void;
}

export class Line {
  readonly #transport: Transport;
  readonly #ports: LinePorts;
  readonly #on: LineEvents;
  #hello: Hello | undefined;
  #session: SessionStart | undefined;
  /** How many subscriptions are not answered yet. */
  #subscriptions = 0;
  #isOpening = false;

  /** @param open makes the transport. */
  constructor(open: (events: TransportEvents) => Transport, ports: LinePorts, on: LineEvents) {
    this.#ports = ports;
    this.#on = on;
    this.#transport = open(this.#events());
  }

  get name(): TransportName {
    return this.#transport.name;
  }

  get congested(): boolean {
    return this.#transport.congested;
  }

  /** What was said on it. */
  get hello(): Hello | undefined {
    return this.#hello;
  }

  /** What the hub has answered to that. */
  get session(): SessionStart | undefined {
    return this.#session;
  }

  /** Whether it was begun, and is neither welcomed nor lost yet. */
  get isOpening(): boolean {
    return this.#isOpening;
  }

  attempt(): void {
    this.#isOpening = true;
    this.#transport.attempt();
  }

  greet(): void {
    const hello = this.#ports.hello();
    this.#hello = hello;
    this.#subscriptions = 0;
    this.#transport.greet(hello);
  }

  /** Subscribes, unless the hub was told the same last. */
  subscribe(subscription: Subscription): void {
    if (!this.#hello || isSame(this.#hello, subscription)) return;
    const { kinds: _, ...said } = this.#hello;
    this.#hello = { ...said, ...subscription };
    this.#subscriptions++;
    this.#transport.subscribe(subscription);
  }

  listen(wanted: boolean, holdsTasks: boolean): void {
    this.#transport.listen(wanted, holdsTasks);
  }

  /** Sends the calls that the window admits, and after them how far events were handed over. */
  send(ack: string | undefined): void {
    const requests = this.#ports.calls.take(this.#transport);
    if (requests.length > 0 || ack !== undefined) this.#transport.send(requests, ack);
  }

  /** Gives the line up; calls in flight on it are sent again on another. @returns when it is down. */
  close(why: LineClose): Promise<void> {
    this.#isOpening = false;
    const down = this.#transport.close(why);
    this.#ports.calls.lineLost(this.#transport, "none");
    return down;
  }

  #events(): TransportEvents {
    const { calls, stream, presence } = this.#ports;
    return {
      opened: this.#on.opened,
      welcomed: (session) => this.#welcomed(session),
      subscribed: (cursor) => {
        if (--this.#subscriptions === 0) this.#ports.subscribed(cursor);
      },
      refused: (error) => (isRetryable(error) ? this.#misbehaves(error.message) : this.#on.refused(error)),
      lost: (why, suspects) => this.#lost(why, suspects),
      answered: (id, result) => calls.answered(id, result),
      failed: (id, error) => calls.failed(id, error),
      page: (page, bytes) => {
        if (!stream.receive(page, bytes)) this.#misbehaves("a gap in the log");
      },
      presence: presence.change,
      presenceChanged: presence.begin,
      closing: this.#on.closing,
    };
  }

  #welcomed(session: SessionStart): void {
    this.#isOpening = false;
    this.#session = session;
    this.#on.welcomed();
  }

  /** It cannot go on like this: another one, after a while. */
  #misbehaves(reason: string): void {
    const why = { code: CLOSE.reopened.code, reason };
    void this.#transport.close(why);
    this.#lost(why);
  }

  #lost(why: LineClose, suspects: Suspects = "all"): void {
    this.#isOpening = false;
    this.#ports.calls.lineLost(this.#transport, suspects);
    this.#on.lost(why);
  }
}
