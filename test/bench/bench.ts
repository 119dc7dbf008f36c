/** What every section of the benchmark gets: its scale, its workplace, and a way to take turns. */
import { Missing } from "./os/missing.ts";
import type { Workplace } from "./os/workplace.ts";
import type { Table } from "./report/result.ts";

/** How much is measured. Both scales measure the same things. */
export interface Scale {
  rounds: number;
  warmUpMs: number;
  windowMs: number;
  /** Of the fan-out. */
  subscribers: number;
  bursts: number;
  /** Idle sockets whose memory is measured. */
  connections: number;
  /** In the log of the history section. */
  messages: number;
}

export const FULL: Scale = {
  rounds: 3,
  warmUpMs: 1_000,
  windowMs: 3_000,
  subscribers: 1_000,
  bursts: 20,
  connections: 10_000,
  messages: 500_000,
};

export const QUICK: Scale = {
  rounds: 1,
  warmUpMs: 500,
  windowMs: 1_500,
  subscribers: 1_000,
  bursts: 8,
  connections: 10_000,
  messages: 50_000,
};

export interface Section {
  name: string;
  about: string;
  run(bench: Bench): Promise<Table[]>;
}

export class Bench {
  readonly scale: Scale;
  readonly workplace: Workplace;

  constructor(scale: Scale, workplace: Workplace) {
    this.scale = scale;
    this.workplace = workplace;
  }

  /** Says on stderr what is going on. */
  progress(text: string): void {
    process.stderr.write(`· ${text}\n`);
  }

  /**
   * Prepares every contestant. One that needs a part that is not there is left out, with a line that says so.
   *
   * @returns the ready ones, and the lines.
   */
  async ready<C extends { system: string; durability: string }, R>(
    contestants: C[],
    prepare: (contestant: C) => Promise<R>,
  ): Promise<{ ready: R[]; skipped: string[] }> {
    const ready: R[] = [];
    const skipped: string[] = [];
    for (const contestant of contestants) {
      try {
        ready.push(await prepare(contestant));
      } catch (error) {
        if (!(error instanceof Missing)) throw error;
        skipped.push(`skipped: ${contestant.system} (${contestant.durability}): ${error.message}`);
      }
    }
    return { ready, skipped };
  }
}
