import type { Event, EventKind, Message } from "../../shared/index.ts";
import { ClaimLost } from "./errors.ts";

interface Claim {
  readonly attempt: number;
  readonly abort: AbortController;
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

/** The tasks that workers of this hub hold, each with the signal that says when its claim is gone. */
export class Claims {
  readonly #claims = new Map<string, Claim>();
  readonly #read: (id: string) => Promise<Message>;

  constructor(read: (id: string) => Promise<Message>) {
    this.#read = read;
  }

  /** @returns the signal that is aborted, with a ClaimLost, when the task is taken away. */
  hold(task: Message): AbortSignal {
    const abort = new AbortController();
    this.#claims.set(task.id, { attempt: task.attempt ?? 0, abort });
    return abort.signal;
  }

  letGo(task: Message): void {
    if (this.#claims.get(task.id)?.attempt === (task.attempt ?? 0)) this.#claims.delete(task.id);
  }

  readonly observe = (event: Event): void => {
    const claim = this.#claims.get(event.message.id);
    if (!claim) return;
    const { attempt = claim.attempt } = event.message;
    const overtaken = event.kind === "claimed" && attempt > claim.attempt;
    if (overtaken || (ENDS_CLAIM.has(event.kind) && attempt >= claim.attempt))
      lose(event.message.id, claim, event.kind);
  };

  /** Events may have been missed: looks how each held task stands. */
  restart(): void {
    for (const [id, claim] of this.#claims) void this.#check(id, claim);
  }

  async #check(id: string, claim: Claim): Promise<void> {
    try {
      const { status, attempt } = await this.#read(id);
      if (status !== "in_progress" || attempt !== claim.attempt) lose(id, claim, `it is ${status} now`);
    } catch {
      // Whoever completes it will be told.
    }
  }
}

const lose = (id: string, claim: Claim, what: string) => claim.abort.abort(new ClaimLost(id, what));
