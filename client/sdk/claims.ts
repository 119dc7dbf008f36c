import type { Event, EventKind, Message } from "../../shared/index.ts";
import { ClaimLost } from "./errors.ts";

/** One held task. Its signal is made when somebody asks for it: most handlers are done before they would need one. */
export class Claim {
  readonly attempt: number;
  #lost: ClaimLost | undefined;
  #abort: AbortController | undefined;

  constructor(attempt: number) {
    this.attempt = attempt;
  }

  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /** Aborted, with a ClaimLost, when the task is taken away. */
  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.#lost) this.#abort.abort(this.#lost);
    }
    return this.#abort.signal;
  }

  lose(id: string, what: string): void {
    this.#lost = new ClaimLost(id, what);
    this.#abort?.abort(this.#lost);
  }
}

/** What says of a held task that it is held no more; of `claimed`, a later attempt does. */
const ENDS_CLAIM: ReadonlySet<EventKind> = new Set([
  "completed",
  "failed",
  "cancelled",
  "released",
  "requeued",
  "deleted",
]);

/** The tasks that workers of this hub hold, each with what tells when its claim is gone. */
export class Claims {
  readonly #claims = new Map<string, Claim>();
  readonly #read: (id: string) => Promise<Message>;

  constructor(read: (id: string) => Promise<Message>) {
    this.#read = read;
  }

  hold(task: Message): Claim {
    const claim = new Claim(task.attempt ?? 0);
    this.#claims.set(task.id, claim);
    return claim;
  }

  letGo(task: Message): void {
    if (this.#claims.get(task.id)?.attempt === (task.attempt ?? 0)) this.#claims.delete(task.id);
  }

  readonly observe = (event: Event): void => {
    const claim = this.#claims.get(event.message.id);
    if (!claim) return;
    const { attempt = claim.attempt } = event.message;
    const overtaken = event.kind === "claimed" && attempt > claim.attempt;
    if (overtaken || (ENDS_CLAIM.has(event.kind) && attempt >= claim.attempt)) claim.lose(event.message.id, event.kind);
  };

  /** Events may have been missed: looks how each held task stands. */
  restart(): void {
    for (const [id, claim] of this.#claims) void this.#check(id, claim);
  }

  async #check(id: string, claim: Claim): Promise<void> {
    try {
      const { status, attempt } = await this.#read(id);
      if (status !== "in_progress" || attempt !== claim.attempt) claim.lose(id, `it is ${status} now`);
    } catch {
      // Whoever completes it will be told.
    }
  }
}
