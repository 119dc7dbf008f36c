/**
 * Messages that were sent, and what the stream has to tell of them: their ends, once anything was sent, and rungs, once
 * one is waited for.
 */
import type { EventKind, Hello, Message } from "../../../shared/index.ts";
import type { Caller } from "../calls/insist.ts";
import type { Connection } from "../connection/connection.ts";
import type { KeepAlive } from "../connection/keepAlive.ts";
import type { Audience } from "../events/audience.ts";
import type { Standstill } from "../events/standstill.ts";
import type { Config } from "../options.ts";
import { FINAL_KINDS } from "./finals.ts";
import { RUNG_KINDS } from "./rungs.ts";
import { Waits } from "./waits.ts";

interface SentMessagesPorts {
  readonly config: Config;
  readonly caller: Caller;
  readonly keepAlive: KeepAlive;
  readonly standstill: Standstill;
  readonly audience: () => Audience;
  readonly connection: () => Connection;
}

export class SentMessages {
  readonly waits: Waits;
  readonly #ports: SentMessagesPorts;
  /** Whether the stream tells of messages' ends. */
  #areTold = false;
  /** Whether anything was sent. */
  #hasSent = false;

  constructor(ports: SentMessagesPorts) {
    this.#ports = ports;
    this.waits = new Waits(ports.caller, {
      shows: (message) => this.#shows(message),
      onInterest: (isWaiting) => this.#onInterest(isWaiting),
      onRungs: () => ports.audience().tellHub(),
    });
  }

  /**
   * The kinds of event to ask the hub for. Whoever listens to nothing sends, and is spared a `subscribe` when it does.
   */
  get kinds(): readonly EventKind[] {
    if (this.waits.tracksRungs) return RUNG_KINDS;
    return this.#hasSent || !this.#ports.audience().wantsEvents ? FINAL_KINDS : [];
  }

  /** Something is about to be sent, and its end will be of interest. */
  sends(): void {
    if (this.#hasSent) return;
    this.#hasSent = true;
    this.#ports.audience().tellHub();
  }

  /**
   * From this cursor on the stream tells of other kinds, or begins anew.
   *
   * @param isLost whether the log does not go on from where we were.
   */
  begin({ kinds }: Pick<Hello, "kinds">, cursor: string, isLost: boolean): void {
    const areTold = !kinds || FINAL_KINDS.every((kind) => kinds.includes(kind));
    if (!areTold) this.waits.pause();
    else if (!this.#areTold) this.waits.begin(cursor);
    else if (isLost) this.waits.restart(cursor);
    this.#areTold = areTold;
  }

  /** The stream goes on from another cursor, of the same log. */
  rewind(cursor: string): void {
    if (this.#areTold) this.waits.begin(cursor);
  }

  /** Whether the stream tells of a message. */
  #shows({ from_claude, to_claude }: Message): boolean {
    const { as, scope } = this.#ports.config;
    return scope === "all" || from_claude === as || to_claude === as;
  }

  #onInterest(isWaiting: boolean): void {
    const { keepAlive, standstill, connection } = this.#ports;
    if (isWaiting) keepAlive.hold();
    else keepAlive.release();
    if (isWaiting) standstill.watch();
    connection().listen();
  }
}
