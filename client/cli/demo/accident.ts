/**
 * One worker is killed while it holds a task, in the middle of the work, and what becomes of that task is followed: the
 * hub gives it back, another worker claims it, and ends it. A worker whose last word was on its way already has lost
 * nothing: another one is killed then.
 */
import type { HubEvent } from "../../sdk/index.ts";
import type { Crew } from "./crew.ts";
import type { Job } from "./jobs.ts";
import { GRACE_MS } from "./roles.ts";
import type { Screen } from "./screen.ts";

export interface AccidentReport {
  readonly file: string;
  readonly killed: string;
  readonly attempt: number;
  /** Who ended the task then, and at which attempt. */
  readonly ended_by: string;
  readonly ended_attempt: number;
}

interface Victim {
  readonly name: string;
  readonly id: string;
  readonly attempt: number;
}

export class Accident {
  readonly #crew: Crew;
  readonly #screen: Screen;
  #victim: Victim | undefined;
  /** Told once the task has ended in spite of it. */
  report: AccidentReport | undefined;

  constructor(crew: Crew, screen: Screen) {
    this.#crew = crew;
    this.#screen = screen;
  }

  /** Looks at an event. @param isTime whether an accident may happen. */
  observe({ kind, message }: HubEvent, job: Job, isTime: boolean): void {
    if (this.report) return;
    if (message.id === this.#victim?.id) this.#follow(kind, job, this.#victim);
    else if (!this.#victim && isTime && kind === "claimed") this.#strike(job);
  }

  #strike({ id, file, attempt, by: name = "" }: Job): void {
    this.#victim = { name, id, attempt };
    void this.#crew.kill(name);
    this.#screen.lost(name);
    this.#screen.say("✗", `${name} is killed (SIGKILL, pid ${this.#crew.pidOf(name)}) while it holds ${file}`, "red");
    this.#screen.say(" ", `its claim is kept for ${GRACE_MS / 1000} s (30 s by default), in case its line comes back`);
  }

  #follow(kind: HubEvent["kind"], job: Job, victim: Victim): void {
    const { file, by = "", attempt } = job;
    if (kind === "requeued") this.#screen.say("↺", `${file} is given back: ${victim.name} is gone`, "yellow");
    if (kind === "ready") this.#screen.say("↺", `${file} can be claimed again`, "yellow");
    if (kind === "claimed") this.#screen.say("→", `${file} is claimed by ${by}, attempt ${attempt}`, "cyan");
    if (kind === "completed" || kind === "failed") this.#over(job, victim);
  }

  #over({ file, by = "", attempt }: Job, victim: Victim): void {
    if (attempt === victim.attempt) {
      this.#victim = undefined;
      this.#screen.say("✓", `${file} was finished just before: ${victim.name} comes back, as another run`);
      this.#crew.hire(victim.name).catch(() => {}); // the others go on without it
      return;
    }
    const { name: killed } = victim;
    this.report = { file, killed, attempt: victim.attempt, ended_by: by, ended_attempt: attempt };
  }
}
