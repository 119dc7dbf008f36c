/** A hub that is killed again and again, and when it was awake, on the clock that the log is written with. */
import { setTimeout } from "node:timers/promises";
import { defer } from "../../support/defer.ts";
import type { HubProcess } from "../../support/processes.ts";

interface Life {
  from: number;
  to: number;
}

export class HubLives {
  readonly hub: HubProcess;
  readonly lives: Life[] = [];
  #underWay: Promise<void> = Promise.resolve();

  /** Takes over a hub that is ready. */
  constructor(hub: HubProcess) {
    this.hub = hub;
    this.#begin();
    defer(() => this.#underWay); // else it would be started after its end
  }

  get kills(): number {
    return this.lives.length - 1;
  }

  killFor(downMs: number): Promise<void> {
    this.#underWay = this.#killFor(downMs);
    return this.#underWay;
  }

  /** The life that it had at a moment, or before. */
  lifeAt(at: number): Life {
    return this.lives.findLast(({ from }) => from <= at) as Life;
  }

  /** When it was next awake again after a death. */
  restartAfter(at: number): number {
    return this.lives.slice(1).find(({ from }) => from > at)?.from ?? Number.POSITIVE_INFINITY;
  }

  /** For how long of a time it was awake. */
  awakeMs(from: number, to: number): number {
    return this.lives.reduce((sum, life) => sum + Math.max(0, Math.min(to, life.to) - Math.max(from, life.from)), 0);
  }

  async #killFor(downMs: number): Promise<void> {
    (this.lives.at(-1) as Life).to = Date.now();
    await this.hub.kill();
    await setTimeout(downMs);
    await this.hub.restart();
    this.#begin();
  }

  #begin(): void {
    this.lives.push({ from: Date.now(), to: Number.POSITIVE_INFINITY });
  }
}
