/**
 * Those who listen: handlers, iterators, workers; and what follows from their being there. The hub sends the kinds of
 * event that somebody listens to, and no others.
 *
 * A caller registers handlers when it is connected already. So the first registration, at the end of its turn, tells
 * the hub what is wanted, goes to the cursor that the caller wants to resume from, and reads the backlog. For whoever
 * connects with `receives`, everything that comes is held until then.
 */
import type { EventKind } from "../../../shared/index.ts";
import { atEndOfTurn } from "../clock.ts";
import type { Connection } from "../connection/connection.ts";
import type { KeepAlive } from "../connection/keepAlive.ts";
import { onlyKinds, type Subscription } from "../connection/subscription.ts";
import type { Config } from "../options.ts";
import type { PresenceWatch } from "../presence/presenceWatch.ts";
import { CLAIM_KINDS } from "../work/claims.ts";
import type { Backlog } from "./backlog.ts";
import type { HubEvents, Resync } from "./events.ts";
import type { Listeners } from "./listeners.ts";
import type { Stream } from "./stream.ts";

interface AudiencePorts {
  readonly config: Config;
  readonly keepAlive: KeepAlive;
  readonly listeners: Listeners<HubEvents>;
  readonly stream: Stream;
  readonly backlog: Backlog;
  readonly presence: PresenceWatch;
  readonly connection: () => Connection;
  /** The kinds of event by which messages that were sent are followed. */
  readonly followed: () => readonly EventKind[];
  /** The stream goes on from another cursor, of the same log. */
  rewound(cursor: string): void;
}

export class Audience {
  readonly #ports: AudiencePorts;
  #workers = 0;
  /** Whether somebody was given events already. */
  #isHeard = false;
  #changeIsDue = false;
  #presenceBegun = false;
  /** A resync that nobody was there to hear of yet. */
  #resync: Resync | undefined;

  constructor(ports: AudiencePorts) {
    this.#ports = ports;
    const { resume, receives } = ports.config;
    if (resume === undefined) ports.backlog.restart();
    else ports.backlog.resume(resume);
    if (receives) ports.stream.hold();
    if (receives && resume !== undefined) ports.stream.rewind(resume);
  }

  /** What those who listen need. */
  get subscription(): Subscription {
    const { config, listeners } = this.#ports;
    return { ...this.#kinds(), presence: config.presence || listeners.has("presence") };
  }

  get wantsEvents(): boolean {
    return this.#workers > 0 || this.#ports.stream.isHeard || this.#ports.listeners.has("presence");
  }

  /** Whether what the caller wants to resume from still lies ahead. */
  get isYetToResume(): boolean {
    return !this.#isHeard && this.#ports.config.resume !== undefined;
  }

  /** A call is about to be made: the subscription goes first. */
  precede(): void {
    if (this.#changeIsDue) this.tellHub();
  }

  /** What is wanted has changed. */
  tellHub(): void {
    const { connection, listeners, presence } = this.#ports;
    connection().subscribe(this.subscription);
    if (this.#presenceBegun || !connection().hello?.presence || !listeners.has("presence")) return;
    this.#presenceBegun = true;
    presence.begin();
  }

  /** Who listens has changed: all that changes until the end of this turn counts as one. */
  changed(): void {
    if (this.#ports.stream.isHeard) this.#ports.stream.hold();
    this.#noteMissing();
    if (this.#changeIsDue) return;
    this.#changeIsDue = true;
    const adapt = () => {
      this.#changeIsDue = false;
      this.#adapt();
    };
    atEndOfTurn(() => (this.#isToReopen ? this.#ports.connection().whenRepeatable(adapt) : adapt()));
  }

  /** A worker begins, and needs events and the process until it is over. @returns what to call then. */
  engage(): () => void {
    this.#workers++;
    this.#ports.keepAlive.hold();
    this.tellHub();
    this.changed();
    return () => {
      this.#workers--;
      this.#ports.keepAlive.release();
      this.changed();
    };
  }

  /** A session begins. @param resync what happened, where the log does not go on. */
  welcomed(resync: Resync | undefined): void {
    this.#presenceBegun = false;
    this.tellHub();
    if (!resync) return;
    this.#resync = resync;
    this.#ports.backlog.restart();
    this.#tellState();
  }

  #adapt(): void {
    const { config, stream, backlog, connection } = this.#ports;
    if (!this.#isHeard && stream.isHeard) this.#begin();
    this.#noteMissing();
    this.tellHub();
    this.#tellState();
    const isToWait = config.receives && !this.#isHeard && this.#workers === 0;
    if (!isToWait && !backlog.isReading) stream.release();
    connection().listen();
  }

  /** Whether the first listener is there, and resumes from where the line does not start. */
  get #isToReopen(): boolean {
    const { config, stream } = this.#ports;
    return this.isYetToResume && stream.isHeard && !config.receives;
  }

  #begin(): void {
    const { config, rewound, connection } = this.#ports;
    const isToReopen = this.#isToReopen;
    this.#isHeard = true;
    if (!isToReopen) return;
    rewound(config.resume as string);
    connection().reopen();
  }

  /** Notes when new messages find nobody. */
  #noteMissing(): void {
    const { stream, backlog } = this.#ports;
    if (!stream.hasMessageListeners && !this.isYetToResume) backlog.miss();
  }

  /** Whoever is about to listen may listen to anything. */
  #kinds(): { kinds?: EventKind[] } {
    const { config, stream, followed } = this.#ports;
    if (config.receives && !this.#isHeard) return {};
    const kinds = new Set([...stream.heard, ...followed(), ...(this.#workers > 0 ? CLAIM_KINDS : [])]);
    return onlyKinds(kinds);
  }

  /** Tells that the log was lost, then the messages that wait. */
  #tellState(): void {
    const { listeners, stream, backlog } = this.#ports;
    const resync = stream.isHeard || listeners.has("resync") ? this.#resync : undefined;
    if (resync) {
      this.#resync = undefined;
      listeners.emit("resync", resync);
    }
    if (this.#isHeard) backlog.tell();
  }
}
