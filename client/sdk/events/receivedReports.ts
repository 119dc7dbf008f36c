/** Tells the hub which messages somebody here has taken: only then are they delivered. */
import { LIMITS } from "../../../shared/index.ts";
import type { Caller } from "../calls/insist.ts";
import { HubClosed, isRetryable } from "../errors.ts";

const COALESCE_MS = 50;
const AGAIN_MS = 1_000;

export class ReceivedReports {
  readonly #caller: Caller;
  readonly #report: (error: unknown) => void;
  #ids: string[] = [];
  /** Which the hub may not know of yet. */
  readonly #unknown = new Set<string>();
  #callOff: (() => void) | undefined;

  /** @param report is given what keeps the hub from ever taking such a report. */
  constructor(caller: Caller, report: (error: unknown) => void) {
    this.#caller = caller;
    this.#report = report;
  }

  /** A message was taken. Those of one moment are reported together, with whatever is sent next. */
  add(id: string): void {
    this.#unknown.add(id);
    this.#ids.push(id);
    if (this.#ids.length === LIMITS.list_messages) this.flush();
    else this.#flushWithin(COALESCE_MS);
  }

  /** Messages that were taken, and the hub may not know it yet. */
  get unknown(): Iterable<string> {
    return this.#unknown;
  }

  flush(): void {
    this.#callOff?.();
    this.#callOff = undefined;
    while (this.#ids.length > 0) this.#say(this.#ids.splice(0, LIMITS.list_messages));
  }

  #flushWithin(ms: number): void {
    this.#callOff ??= this.#caller.clock.after(ms, () => this.flush());
  }

  #say(ids: string[]): void {
    const known = () => {
      for (const id of ids) this.#unknown.delete(id);
    };
    this.#caller.call("received", { ids }).then(known, (error) => {
      if (isRetryable(error)) return this.#sayAgain(ids);
      known();
      if (!(error instanceof HubClosed)) this.#report(error);
    });
  }

  #sayAgain(ids: string[]): void {
    this.#ids.unshift(...ids);
    this.#flushWithin(AGAIN_MS);
  }
}
