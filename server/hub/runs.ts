/**
 * Runs with a living connection. While one lives, the hub keeps its leases without writing anything; when the
 * last connection of a run is gone its leases get an end, which coming back takes away again.
 *
 * What could not be written for a while is written later, as things stand then: no worker that died meanwhile keeps its
 * task, and none that is alive loses it.
 */
import type { Clock } from "../clock.ts";
import type { StoreCommand } from "../store/storeCommands.ts";

/** A run as a key; instances choose the ids of their runs themselves. */
export const runKey = (claudeId: string, run: string) => `${claudeId} ${run}`;

interface RunsOptions {
  clock: Clock;
  graceMs: number;
  /** Writes what becomes of a run's leases: the command is made anew for each try. */
  write: (run: string, command: () => StoreCommand) => void;
}

export class Runs {
  readonly #options: RunsOptions;
  readonly #connections = new Map<string, number>();
  readonly #lingering = new Map<string, () => void>();

  constructor(options: RunsOptions) {
    this.#options = options;
  }

  attached(claudeId: string | null, run: string | null): boolean {
    return run !== null && claudeId !== null && this.#connections.has(runKey(claudeId, run));
  }

  attach(claude_id: string, run: string): void {
    const key = runKey(claude_id, run);
    const connections = this.#connections.get(key) ?? 0;
    this.#connections.set(key, connections + 1);
    if (connections === 0) this.#writeLeases(claude_id, run);
    this.#lingering.get(key)?.();
  }

  /**
   * Lets a connection that comes and goes count for a while after it went, unless the run has another one, or
   * gets one: the leases of a run that had moved to a socket would outlive that.
   *
   * @returns what cancels the end, because the connection came again.
   */
  linger(claude_id: string, run: string, forMs: number, end: () => void): () => void {
    const key = runKey(claude_id, run);
    const over = () => {
      cancel();
      end();
    };
    const cancelTimer = this.#options.clock.after(forMs, over);
    const cancel = () => {
      cancelTimer();
      this.#lingering.delete(key);
    };
    this.#lingering.set(key, over);
    if ((this.#connections.get(key) ?? 0) > 1) over();
    return cancel;
  }

  detach(claude_id: string, run: string): void {
    const key = runKey(claude_id, run);
    const connections = (this.#connections.get(key) ?? 0) - 1;
    if (connections > 0) {
      this.#connections.set(key, connections);
      return;
    }
    this.#connections.delete(key);
    this.#writeLeases(claude_id, run);
  }

  #writeLeases(claude_id: string, run: string): void {
    const { graceMs, write } = this.#options;
    const key = runKey(claude_id, run);
    const holder = { claude_id, run };
    const keeps = () => this.#connections.has(key);
    write(key, () => (keeps() ? { op: "keep", holder } : { op: "lapse", holder, forMs: graceMs }));
  }
}
