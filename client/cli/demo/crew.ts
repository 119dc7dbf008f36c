import type { Outside } from "../process/outside.ts";
import { Process } from "./process.ts";

/** The workers, each a process and an agent of its own. */
export class Crew {
  readonly #url: string;
  readonly #env: Outside["env"];
  readonly #workers = new Map<string, Process>();

  constructor(url: string, { env }: Outside) {
    this.#url = url;
    this.#env = env;
  }

  get names(): string[] {
    return [...this.#workers.keys()];
  }

  pidOf(name: string): number | undefined {
    return this.#workers.get(name)?.pid;
  }

  /** Starts a worker, or one anew. @throws Failed when it does not come up. */
  async hire(name: string): Promise<void> {
    const worker = new Process("demoWorker.mjs", [this.#url, name], this.#env);
    this.#workers.set(name, worker);
    await worker.ready();
  }

  /** Kills a worker as a crash would: it can neither finish nor say goodbye. */
  async kill(name: string): Promise<void> {
    await this.#workers.get(name)?.end("SIGKILL");
  }

  async dismiss(): Promise<void> {
    await Promise.all(this.names.map((name) => this.kill(name)));
  }
}
