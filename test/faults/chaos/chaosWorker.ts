/**
 * A worker's name and place, where one run follows the other, and what becomes of it there. Faults come one after the
 * other; when each began and ended is written down.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants, setPriority } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Message } from "../../../shared/message.ts";
import { defer } from "../../support/defer.ts";
import { http } from "../../support/http.ts";
import type { FaultProxy } from "../../support/proxy.ts";
import { repository } from "../../support/repository.ts";
import type { WorkerFault } from "./faults.ts";
import { type Note, readNotes } from "./notes.ts";

/** One process. */
export interface Run {
  readonly name: string;
  readonly notes: string;
  readonly from: number;
  isKilled: boolean;
}

/** A time in which a run can do nothing, and that is longer than the grace time. */
export interface Loss {
  readonly run: Run;
  readonly at: number;
  /** For ever, when it was killed. */
  readonly until: number;
  /** Whether its lines stayed open. */
  readonly isSilent: boolean;
  /** When it had last come back to the hub. */
  readonly onlineAt: number;
}

const PROGRAM = `${repository}dist/test/faults/chaos/worker.js`;
/** How long a stopped process or a cut line may take to be so. */
const SETTLE_MS = 20;
/** How long to look for a moment in the middle of a task. */
const SEEK_MS = 2_000;
const LOOK_MS = 100;

interface Place {
  name: string;
  pool: string;
  /** For its notes. */
  folder: string;
  /** Between it and the hub. */
  proxy: FaultProxy;
  /** The hub itself. */
  url: string;
}

export class ChaosWorker {
  readonly runs: Run[] = [];
  readonly losses: Loss[] = [];
  /** How often each fault came about. */
  readonly suffered = new Map<WorkerFault["kind"], number>();
  readonly #place: Place;
  #child!: ChildProcess;
  #over!: Promise<unknown>;
  #faults: Promise<void> = Promise.resolve();
  #isDismissed = false;

  /** Begins its first run; the last one is killed when the test ends. */
  constructor(place: Place) {
    this.#place = place;
    this.#begin();
    defer(() => this.#dismiss());
  }

  /** Resolves when its present run has come to the hub. */
  async ready(): Promise<void> {
    while (!this.#isDismissed && readNotes(this.#run.notes).length === 0) await setTimeout(LOOK_MS);
  }

  /** Lets something happen to it, once what happened before is over. */
  suffer(fault: WorkerFault): void {
    this.#faults = this.#faults.then(() => this.#suffer(fault));
    this.#faults.catch(() => {}); // told by `recovered`
  }

  /** Resolves when all that happened to it is over. */
  recovered(): Promise<void> {
    return this.#faults;
  }

  /** Asks it to end in good order. @returns its exit code. */
  async close(): Promise<number | null> {
    await this.ready();
    this.#child.kill("SIGTERM");
    await this.#over;
    return this.#child.exitCode;
  }

  get #run(): Run {
    return this.runs.at(-1) as Run;
  }

  #begin(): void {
    const { name, pool, folder, proxy } = this.#place;
    const run = `${name}.${this.runs.length}`;
    const notes = join(folder, `${run}.jsonl`);
    this.runs.push({ name, notes, from: Date.now(), isKilled: false });
    const url = `http://127.0.0.1:${proxy.port}/api/coord`;
    this.#child = spawn(process.execPath, [PROGRAM, url, name, run, pool, notes], {
      stdio: ["pipe", "ignore", "inherit"],
    });
    setPriority(this.#child.pid as number, constants.priority.PRIORITY_BELOW_NORMAL); // many workers, and one hub to be judged
    this.#over = once(this.#child, "close");
  }

  async #dismiss(): Promise<void> {
    this.#isDismissed = true;
    this.#child.kill("SIGKILL");
    await this.#over;
  }

  async #suffer({ kind, forMs }: WorkerFault): Promise<void> {
    if (this.#isDismissed) return;
    const happened = await this.#faultsOf[kind](forMs);
    if (happened !== false) this.suffered.set(kind, (this.suffered.get(kind) ?? 0) + 1);
  }

  readonly #faultsOf: Record<WorkerFault["kind"], (forMs: number) => Promise<unknown>> = {
    kill: async (forMs) => {
      this.#child.kill("SIGKILL");
      this.#run.isKilled = true;
      await this.#over;
      this.#lost({ at: Date.now(), until: Number.POSITIVE_INFINITY, isSilent: false });
      await setTimeout(forMs);
      if (!this.#isDismissed) this.#begin();
    },
    stop: () => this.#stopUntilOvertaken(() => this.#cutForSure()),
    freeze: () => this.#stopUntilOvertaken(),
    nap: async (forMs) => {
      this.#child.kill("SIGSTOP");
      await setTimeout(forMs);
      this.#child.kill("SIGCONT");
    },
    cut: async () => this.#place.proxy.cut(),
    stall: async (forMs) => {
      this.#place.proxy.blackHole();
      await setTimeout(forMs);
      this.#place.proxy.resume();
    },
  };

  #lost(loss: Pick<Loss, "at" | "until" | "isSilent">): void {
    const online = readNotes(this.#run.notes).findLast((note) => note.says === "online");
    const onlineAt = online?.says === "online" ? online.at : 0;
    this.losses.push({ run: this.#run, onlineAt, ...loss });
  }

  /** @returns false when it had no task in hand. */
  async #stopUntilOvertaken(cut?: () => Promise<void>): Promise<boolean> {
    const held = await this.#stopInTheMiddle();
    if (!held) return false;
    await cut?.();
    const at = Date.now();
    while (!this.#isDismissed && !(await this.#isOvertaken(held))) await setTimeout(LOOK_MS);
    this.#lost({ at, until: Date.now(), isSilent: cut === undefined });
    this.#child.kill("SIGCONT");
    return true;
  }

  /** @returns the task that it has begun and not ended, and will not while it is stopped. */
  async #stopInTheMiddle(): Promise<Extract<Note, { says: "begins" }> | undefined> {
    const deadline = performance.now() + SEEK_MS;
    while (performance.now() < deadline) {
      this.#child.kill("SIGSTOP");
      await setTimeout(SETTLE_MS);
      const last = readNotes(this.#run.notes).findLast(({ says }) => says !== "online");
      if (last?.says === "begins") return last;
      this.#child.kill("SIGCONT");
      await setTimeout(SETTLE_MS);
    }
    return undefined;
  }

  /** Once more for what was on its way to the proxy. */
  async #cutForSure(): Promise<void> {
    this.#place.proxy.cut();
    await setTimeout(SETTLE_MS);
    this.#place.proxy.cut();
  }

  async #isOvertaken({ id, attempt }: { id: string; attempt: number }): Promise<boolean> {
    const answer = await http(`${this.#place.url}/message/${id}`).catch(() => undefined); // the hub may be down
    return answer?.status === 200 && ((answer.body.data as Message).attempt ?? 0) > attempt;
  }
}
