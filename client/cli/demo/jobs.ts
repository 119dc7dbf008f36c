/** What is known of each file's task, out of the events that tell of it. */
import type { HubEvent, Message } from "../../sdk/index.ts";
import type { FileIndex } from "./fileIndex.ts";

export interface Job {
  readonly file: string;
  readonly id: string;
  /** Who does it or has done it. */
  by?: string;
  attempt: number;
  /** Once it has ended: what the worker found, or why it could not. */
  found?: FileIndex;
  error?: string;
}

const hasEnded = ({ found, error }: Job) => found !== undefined || error !== undefined;

export class Jobs {
  readonly #jobs = new Map<string, Job>();

  get all(): Job[] {
    return [...this.#jobs.values()];
  }

  get ended(): number {
    return this.all.filter(hasEnded).length;
  }

  of(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  doneBy(worker: string): Job[] {
    return this.all.filter((job) => job.by === worker && hasEnded(job));
  }

  /** @returns the job that an event is about. */
  observe({ kind, message }: HubEvent): Job {
    const job = this.#jobs.get(message.id) ?? this.#add(message as Message);
    job.attempt = message.attempt ?? job.attempt;
    if (message.claimed_by !== undefined) job.by = message.claimed_by;
    if (kind === "requeued") delete job.by;
    if (kind === "completed") job.found = JSON.parse(message.result as string) as FileIndex;
    if (kind === "failed") job.error = message.error ?? "it failed";
    return job;
  }

  #add({ id, task }: Message): Job {
    const job: Job = { id, file: task, attempt: 0 };
    this.#jobs.set(id, job);
    return job;
  }
}
