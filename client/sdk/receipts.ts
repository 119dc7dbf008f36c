/** Says of messages that somebody here has taken them: only then are they delivered. */
import { LIMITS } from "../../shared/index.ts";
import { HubClosed } from "./errors.ts";
import { type Caller, insist } from "./insist.ts";

const COALESCE_MS = 50;

export class Receipts {
  readonly #caller: Caller;
  readonly #report: (error: unknown) => void;
  #ids: string[] = [];
  #callOff: (() => void) | undefined;

  /** @param report is told what keeps the hub from taking a receipt. */
  constructor(caller: Caller, report: (error: unknown) => void) {
    this.#caller = caller;
    this.#report = report;
  }

  /** A message was taken; those of a moment are said together, and before whatever is asked next. */
  add(id: string): void {
    this.#ids.push(id);
    if (this.#ids.length === LIMITS.list_messages) this.flush();
    else this.#callOff ??= this.#caller.clock.after(COALESCE_MS, () => this.flush());
  }

  flush(): void {
    if (this.#ids.length === 0) return;
    this.#callOff?.();
    this.#callOff = undefined;
    insist(this.#caller, "received", { ids: this.#ids.splice(0) }).catch((error) => {
      if (!(error instanceof HubClosed)) this.#report(error);
    });
  }
}
