/** Holds what workers wrote down, and what happened to them and to the hub, against the log. */
import type { Event } from "../../../shared/event.ts";
import { http } from "../../support/http.ts";
import type { Acknowledged } from "../support/logChecker.ts";
import type { ChaosWorker, Loss, Run } from "./chaosWorker.ts";
import type { HubLives } from "./hubLives.ts";
import { type Note, readNotes } from "./notes.ts";
import { held, keptMs, runOf, SLACK_MS } from "./reclaim.ts";
import { Tries, type Try } from "./tries.ts";

type Given = Extract<Note, { says: "gives" }>;

export class Judge {
  readonly tries: Tries;
  readonly #workers: readonly ChaosWorker[];
  readonly #hub: HubLives;
  readonly #notes: Map<Run, Note[]>;

  constructor(events: readonly Event[], workers: readonly ChaosWorker[], hub: HubLives) {
    this.tries = new Tries(events);
    this.#workers = workers;
    this.#hub = hub;
    const runs = workers.flatMap((worker) => worker.runs);
    this.#notes = new Map(runs.map((run) => [run, readNotes(run.notes)]));
  }

  /** What workers were told that the hub has accepted. */
  accepted(): Acknowledged[] {
    return this.#of("accepted").map(({ id, attempt, result }) => ({ kind: "completed", id, attempt, text: result }));
  }

  /** Outcomes that were neither accepted nor refused and kept, or both; and accepted ones that nobody gave. */
  unsettled(): string[] {
    const given = new Set(this.#of("gives").map(({ result }) => result));
    const invented = [...this.tries.all].filter(({ result }) => result !== undefined && !given.has(result));
    const lost = [...this.#notes].flatMap(([run, notes]) => this.#unsettledOf(run, notes));
    return [...lost, ...invented.map(({ result }) => `nobody gave "${result}"`)];
  }

  /** Refusals that the log does not keep as `late`. */
  refusedOtherwise(): string[] {
    return this.#of("refused")
      .filter(({ id, attempt, code }) => code !== "lease_lost" || this.tries.of(id, attempt)?.late === undefined)
      .map(({ id, attempt, code }) => `${code}: attempt ${attempt} of ${id}`);
  }

  /** How long each lost run kept each task that it had, ms from when the hub could know. */
  *kept(): Generator<{ of: Try; ms: number }> {
    for (const { runs, losses } of this.#workers) {
      for (const one of this.tries.all) {
        const run = runOf(runs, one);
        const isOf = (loss: Loss) => loss.run === run && held(loss, one);
        for (const loss of losses.filter(isOf)) yield { of: one, ms: keptMs(loss, one, this.#hub) };
      }
    }
  }

  /** Tasks that a lost run kept for too long. */
  keptTooLong(graceMs: number): string[] {
    return [...this.kept()]
      .filter(({ ms }) => ms > graceMs + SLACK_MS)
      .map(({ of, ms }) => `${ms} ms: ${JSON.stringify(of)}`);
  }

  /** Where the hub's records of tries differ from the log; looked at for tasks that were tried more than once. */
  async recordedOtherwise(url: string): Promise<string[]> {
    const again = new Set([...this.tries.all].filter(({ attempt }) => attempt > 1).map(({ id }) => id));
    const wrong: string[] = [];
    for (const id of again) {
      const recorded = (await http(`${url}/message/${id}/attempts`)).body.data.attempts as Recorded[];
      const differs = recorded.some((one, i) => one.attempt !== i + 1 || !this.#agrees(id, one));
      if (differs || this.tries.of(id, recorded.length + 1)) wrong.push(`${id}: ${JSON.stringify(recorded)}`);
    }
    return wrong;
  }

  #agrees(id: string, { attempt, claimed_by, claimed_at, outcome, late = false }: Recorded): boolean {
    const told = this.tries.of(id, attempt);
    if (told?.by !== claimed_by || told.from !== Date.parse(claimed_at)) return false;
    const end = told.result === undefined ? told.end : "complete";
    return end === outcome && late === (told.late !== undefined);
  }

  #of<S extends Note["says"]>(says: S): Extract<Note, { says: S }>[] {
    return [...this.#notes.values()].flat().filter((note): note is never => note.says === says);
  }

  /** The last outcome of a killed run may never have left it. */
  #unsettledOf(run: Run, notes: Note[]): string[] {
    const given = notes.filter((note): note is Given => note.says === "gives");
    const last = run.isKilled ? notes.findLast((note) => note.says === "gives") : undefined;
    return given.flatMap(({ id, attempt, result }) => {
      const told = this.tries.of(id, attempt);
      const ways = [told?.result, told?.late].filter((way) => way === result).length;
      const isExcused = ways === 0 && result === (last as Given | undefined)?.result;
      return ways === 1 || isExcused ? [] : [`"${result}" came in ${ways} times`];
    });
  }
}

interface Recorded {
  attempt: number;
  claimed_by: string;
  claimed_at: string;
  outcome: string;
  late?: boolean;
}
