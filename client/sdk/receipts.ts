/** Says of messages that waited that they have come: no event told of them, so no acknowledgement does. */
import { LIMITS, type Params } from "../../shared/index.ts";
import type { Clock } from "./clock.ts";

const COALESCE_MS = 50;

export class Receipts {
  readonly #clock: Clock;
  readonly #say: (params: Params<"received">) => Promise<unknown>;
  #ids: string[] = [];
  #callOff: (() => void) | undefined;

  constructor(clock: Clock, say: (params: Params<"received">) => Promise<unknown>) {
    this.#clock = clock;
    this.#say = say;
  }

  /** A message was handed over; those of a moment are said together. */
  readonly add = (id: string): void => {
    this.#ids.push(id);
    if (this.#ids.length === LIMITS.list_messages) this.flush();
    else this.#callOff ??= this.#clock.after(COALESCE_MS, () => this.flush());
  };

  flush(): void {
    this.#callOff?.();
    this.#callOff = undefined;
    const ids = this.#ids.splice(0);
    if (ids.length > 0) this.#say({ ids }).catch(() => {}); // like an acknowledgement that is lost
  }
}
