/**
 * Those who listen: handlers, iterators, workers; and what follows from there being some.
 *
 * A caller registers handlers when it is connected already. So the first registration, at the end of its turn, says
 * hello anew where the hub must know of it, goes to the cursor that the caller wants to resume from, and has the
 * backlog told. Whoever connects with `receives` spares itself the second hello: events are held until then.
 */
import type { Hello } from "../../shared/index.ts";
import type { Backlog } from "./backlog.ts";
import { atEndOfTurn } from "./clock.ts";
import type { Connection } from "./connection.ts";
import type { HubEvents, Resync } from "./events.ts";
import type { KeepAlive } from "./keepAlive.ts";
import type { Listeners } from "./listeners.ts";
import type { Config } from "./options.ts";
import type { PresenceWatch } from "./presenceWatch.ts";
import type { Stream } from "./stream.ts";

export interface Stage {
  readonly config: Config;
  readonly keepAlive: KeepAlive;
  readonly listeners: Listeners<HubEvents>;
  readonly stream: Stream;
  readonly backlog: Backlog;
  readonly presence: PresenceWatch;
  readonly connection: () => Connection;
  /** The stream goes on from another cursor, of the same log. */
  rewound(cursor: string): void;
}

export class Audience {
  readonly #stage: Stage;
  #workers = 0;
  /** Whether somebody was given events already. */
  #isHeard = false;
  #changeIsDue = false;
  /** Whether the messages that wait are still to be told. */
  #backlogIsDue: boolean;
  #presenceBegun = false;
  /** A resync that nobody could hear of yet. */
  #resync: Resync | undefined;

  constructor(stage: Stage) {
    this.#stage = stage;
    const { as, resume, receives } = stage.config;
    this.#backlogIsDue = as !== undefined && resume === undefined;
    if (receives) stage.stream.hold();
    if (receives && resume !== undefined) stage.stream.rewind(resume);
  }

  /** What the hub must know of those who listen. */
  get wishes(): { receives: boolean; presence: boolean } {
    const { config, stream, listeners } = this.#stage;
    return {
      receives: config.receives || stream.receives || this.#workers > 0,
      presence: config.presence || listeners.has("presence"),
    };
  }

  get wantsEvents(): boolean {
    return this.#workers > 0 || this.#stage.stream.isHeard || this.#stage.listeners.has("presence");
  }

  /** Whether what the caller wants to resume from still lies ahead. */
  get isYetToResume(): boolean {
    return !this.#isHeard && this.#stage.config.resume !== undefined;
  }

  /** Who listens has changed: all that changes until the end of this turn counts as one. */
  changed(): void {
    if (this.#stage.stream.isHeard) this.#stage.stream.hold();
    if (this.#changeIsDue) return;
    this.#changeIsDue = true;
    atEndOfTurn(() => {
      this.#changeIsDue = false;
      this.#adapt();
    });
  }

  /** A worker begins, and needs events and the process until it is over. @returns what says that it is. */
  engage(): () => void {
    this.#workers++;
    this.#stage.keepAlive.hold();
    this.#tellHub(); // at once: what the worker asks next travels on the line that knows of it
    this.changed();
    return () => {
      this.#workers--;
      this.#stage.keepAlive.release();
      this.changed();
    };
  }

  /** A session begins. @param resync what happened, where the log does not go on. */
  welcomed(hello: Hello, resync: Resync | undefined): void {
    this.#presenceBegun = false;
    this.#beginPresence(hello);
    if (this.#wantsMoreThan(hello)) this.changed();
    if (!resync) return;
    this.#resync = resync;
    this.#backlogIsDue = this.#stage.config.as !== undefined;
    this.#tellState();
  }

  #adapt(): void {
    const { stream, backlog, connection } = this.#stage;
    if (!this.#isHeard && stream.isHeard) this.#begin();
    this.#tellHub();
    const { hello } = connection();
    if (hello) this.#beginPresence(hello);
    this.#tellState();
    const isAwaited = this.#isHeard || this.#workers > 0;
    if (isAwaited && !backlog.isReading) stream.release();
    connection().listen();
  }

  #begin(): void {
    this.#isHeard = true;
    const { config, rewound, connection } = this.#stage;
    if (config.receives || config.resume === undefined) return;
    rewound(config.resume);
    connection().reopen();
  }

  #tellHub(): void {
    const { hello } = this.#stage.connection();
    if (hello && this.#wantsMoreThan(hello)) this.#stage.connection().reopen();
  }

  /** Whether the hub has to be told of wishes that are new since it heard this. */
  #wantsMoreThan(told: Hello): boolean {
    const { receives, presence } = this.wishes;
    return (receives && !told.receives) || (presence && !told.presence);
  }

  #beginPresence(hello: Hello): void {
    if (this.#presenceBegun || !hello.presence || !this.#stage.listeners.has("presence")) return;
    this.#presenceBegun = true;
    this.#stage.presence.begin();
  }

  /** What is known anew: that the log was lost, then the messages that wait. */
  #tellState(): void {
    const { listeners, stream, backlog } = this.#stage;
    const resync = this.#isHeard || listeners.has("resync") ? this.#resync : undefined;
    if (resync) {
      this.#resync = undefined;
      listeners.emit("resync", resync);
    }
    if (!this.#backlogIsDue || !this.#isHeard || !stream.receives) return;
    this.#backlogIsDue = false;
    backlog.tell();
  }
}
