/** Tasks that are held: whoever does one learns when it is taken away, and why. */
import QuickLRU from "quick-lru";
import { type Event, type EventKind, isRefusal, type Message } from "../../../shared/index.ts";
import { ChurnMap } from "../churn.ts";
import type { Clock } from "../clock.ts";
import { ClaimLost, type Loss } from "../errors.ts";

/** The hub counts from the claim, we from its answer: it may say that much earlier that the time is up. */
const ANSWER_MS = 1_000;

/** One held task. Its signal is made when somebody asks for it: most handlers are done before they would need one. */
export class Claim {
  readonly id: string;
  readonly attempt: number;
  /** When its time is up, on the clock of this client; undefined when it may take as long as it takes. */
  readonly deadline: number | undefined;
  readonly #clock: Clock;
  #lost: ClaimLost | undefined;
  #abort: AbortController | undefined;

  constructor({ id, attempt = 0, timeout_ms }: Message, clock: Clock) {
    this.id = id;
    this.attempt = attempt;
    this.#clock = clock;
    this.deadline = timeout_ms === undefined ? undefined : clock.now() + timeout_ms;
  }

  /** Why it is gone, when it is. */
  get lost(): ClaimLost | undefined {
    return this.#lost;
  }

  /** Aborted, with a ClaimLost, when the task is taken away. */
  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.#lost) this.#abort.abort(this.#lost);
    }
    return this.#abort.signal;
  }

  /** The hub took it back. */
  expire(words: string | undefined): void {
    const isDue = this.deadline !== undefined && this.#clock.now() >= this.deadline - ANSWER_MS;
    this.lose(isDue ? "timed_out" : "lease_lost", words);
  }

  /** The first reason counts. */
  lose(why: Loss, words?: string): void {
    if (this.#lost) return;
    this.#lost = new ClaimLost(this.id, why, words);
    this.#abort?.abort(this.#lost);
  }
}

/** The events that end a claim, and why; so does a `claimed` with a later attempt. */
const ENDS_CLAIM: Partial<Record<EventKind, Loss>> = {
  completed: "ended",
  failed: "lease_lost",
  cancelled: "cancelled",
  released: "ended",
  requeued: "lease_lost",
  deleted: "deleted",
};

/** The kinds of event that workers need. */
export const CLAIM_KINDS = Object.keys(ENDS_CLAIM) as EventKind[];

/** Events that may take a task away at the very moment it is claimed, and so arrive before the claim's answer. */
const OVERTAKES: ReadonlySet<EventKind> = new Set(["cancelled", "deleted", "requeued", "failed"]);

/** Far more than can arrive between the claim and its answer. */
const REMEMBERED = 256;

/** The tasks that workers of this hub hold, each with its claim. */
export class Claims {
  readonly #claims = new ChurnMap<string, Claim>();
  readonly #early = new QuickLRU<string, Event>({ maxSize: REMEMBERED });
  readonly #clock: Clock;
  readonly #checking = new Set<Claim>();
  readonly #read: (id: string) => Promise<Message>;
  readonly #onHeld: () => void;

  /** @param onHeld is called whenever one more task is held. */
  constructor(clock: Clock, read: (id: string) => Promise<Message>, onHeld: () => void) {
    this.#clock = clock;
    this.#read = read;
    this.#onHeld = onHeld;
  }

  get any(): boolean {
    return this.#claims.size > 0;
  }

  hold(task: Message): Claim {
    const claim = new Claim(task, this.#clock);
    this.#claims.get(task.id)?.lose("ended"); // there may have been no event for it
    this.#claims.set(task.id, claim);
    this.#onHeld();
    const early = this.#early.get(task.id);
    if (early && early.seq > (task.seq ?? 0)) this.#apply(early, claim);
    return claim;
  }

  letGo(claim: Claim): void {
    if (this.#claims.get(claim.id) === claim) this.#claims.delete(claim.id);
  }

  readonly observe = (event: Event): void => {
    const claim = this.#claims.get(event.message.id);
    if (claim) this.#apply(event, claim);
    else if (OVERTAKES.has(event.kind)) this.#early.set(event.message.id, event);
  };

  /** The log does not go on: its events say nothing about claims to come, whose `seq` may belong to another log. */
  restart(): void {
    this.#early.clear();
    this.look();
  }

  /** Events may have been missed: looks how each held task stands. */
  look(): void {
    for (const claim of this.#claims.values()) void this.#check(claim);
  }

  /** The line is gone for good: what is held can neither be kept nor ended. */
  end(why: Loss, words?: string): void {
    for (const claim of this.#claims.values()) claim.lose(why, words);
  }

  #apply({ kind, actor, message }: Event, claim: Claim): void {
    const { attempt = claim.attempt } = message;
    const why = kind === "claimed" && attempt > claim.attempt ? "ended" : ENDS_CLAIM[kind];
    if (why === undefined || attempt < claim.attempt) return;
    if (why === "cancelled") claim.lose(why, message.error && `it was cancelled: ${message.error}`);
    else if (why !== "lease_lost") claim.lose(why);
    else if (actor === undefined) claim.expire(message.error);
    else claim.lose("ended"); // the hub itself is no actor
  }

  async #check(claim: Claim): Promise<void> {
    if (this.#checking.has(claim)) return;
    this.#checking.add(claim);
    try {
      const { status, attempt, failure } = await this.#read(claim.id);
      if (status === "in_progress" && attempt === claim.attempt) return;
      claim.lose(failure === "cancelled" ? "cancelled" : "ended", `it is ${status} now`);
    } catch (error) {
      if (isRefusal(error, "not_found")) claim.lose("deleted", "the hub does not know it");
      // How else it stands, whoever completes it will learn.
    } finally {
      this.#checking.delete(claim);
    }
  }
}
