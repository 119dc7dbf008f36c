import type { Presence } from "../../shared/index.ts";

/**
 * Who is there, from changes that may overtake the first reading: everybody first, then each change that is newer
 * than what is known.
 */
export class PresenceWatch {
  readonly #read: () => Promise<Presence>;
  readonly #tell: (presence: Presence) => void;
  #version: number | undefined;
  #early: Presence[] = [];
  #reading = 0;

  constructor(read: () => Promise<Presence>, tell: (presence: Presence) => void) {
    this.#read = read;
    this.#tell = tell;
  }

  /** Reads everything (again). A reading that fails is made up for by the next session or change. */
  readonly begin = (): void => {
    const reading = ++this.#reading;
    this.#version = undefined;
    this.#early = [];
    this.#read().then(
      (everybody) => reading === this.#reading && this.#begun(everybody),
      () => {},
    );
  };

  readonly change = (change: Presence): void => {
    if (this.#version === undefined) this.#early.push(change);
    else if (change.version > this.#version) this.#pass(change);
  };

  #begun(everybody: Presence): void {
    this.#pass(everybody);
    for (const change of this.#early.splice(0)) this.change(change);
  }

  #pass(presence: Presence): void {
    this.#version = presence.version;
    this.#tell(presence);
  }
}
