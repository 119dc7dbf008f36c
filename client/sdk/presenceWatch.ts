import type { Presence } from "../../shared/index.ts";

/**
 * Who is there, from changes that may overtake the first reading: everybody first, then each change that is newer
 * than what is known.
 */
export class PresenceWatch {
  readonly #read: () => Promise<Presence>;
  readonly #tell: (presence: Presence) => void;
  #version = 0;
  #early: Presence[] = [];
  #readings = 0;
  #state: "idle" | "reading" | "read" | "failed" = "idle";

  constructor(read: () => Promise<Presence>, tell: (presence: Presence) => void) {
    this.#read = read;
    this.#tell = tell;
  }

  /** Reads everything (again). A reading that fails is made up for by the next session or change. */
  readonly begin = (): void => {
    const reading = ++this.#readings;
    this.#state = "reading";
    this.#early = [];
    this.#read().then(
      (everybody) => reading === this.#readings && this.#begun(everybody),
      () => reading === this.#readings && this.#failed(),
    );
  };

  readonly change = (change: Presence): void => {
    if (this.#state === "reading") this.#early.push(change);
    else if (this.#state === "failed") this.begin();
    else if (this.#state === "read" && change.version > this.#version) this.#pass(change);
  };

  #begun(everybody: Presence): void {
    this.#state = "read";
    this.#pass(everybody);
    for (const change of this.#early.splice(0)) this.change(change);
  }

  #failed(): void {
    this.#state = "failed";
    this.#early = [];
  }

  #pass(presence: Presence): void {
    this.#version = presence.version;
    this.#tell(presence);
  }
}
