/** Says of messages that somebody here has taken them: only then are they delivered. */
import { LIMITS } from "../../shared/index.ts";
import { HubClosed, isRetryable } from "./errors.ts";
import type { Caller } from "./insist.ts";

const COALESCE_MS = 50;
const AGAIN_MS = 1_000;

export class Receipts {
  readonly #caller: Caller;
  readonly #report: (error: unknown) => void;
  #ids: string[] = [];
  #callOff: (() => void) | undefined;

  /** @param report is told what keeps the hub from ever taking a receipt. */
  constructor(caller: Caller, report: (error: unknown) => void) {
    this.#caller = caller;
    this.#report = report;
  }

  /** A message was taken; those of a moment are said together, and before whatever is asked next. */
  add(id: string): void {
    this.#ids.push(id);
    if (this.#ids.length === LIMITS.list_messages) this.flush();
    else this.#flushWithin(COALESCE_MS);
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
    this.#caller.call("received", { ids }).catch((error) => {
      if (error instanceof HubClosed) return;
      if (!isRetryable(error)) return this.#report(error);
      this.#ids.unshift(...ids);
      this.#flushWithin(AGAIN_MS);
    });
  }
}
