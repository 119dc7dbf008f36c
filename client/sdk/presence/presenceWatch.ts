import type { Presence } from "../../../shared/index.ts";

/**
 * Who is there, from changes that may overtake the first reading: everybody first, then each change that is newer
 * than what is known. A reading is ended before the next one begins, so that it comes to an end where much changes.
 */
export class PresenceWatch {
  readonly #read: () => Promise<Presence>;
  readonly #tell: (presence: Presence) => void;
  #version = 0;
  #early: Presence[] = [];
  /** Whether to read again when the present reading is over. */
  #isDue = false;
  #state: "idle" | "reading" | "read" | "failed" = "idle";

  constructor(read: () => Promise<Presence>, tell: (presence: Presence) => void) {
    this.#read = read;
    this.#tell = tell;
  }

  /** Reads everything (again). The next session or change makes up for a reading that fails. */
  readonly begin = (): void => {
    this.#isDue = this.#state === "reading";
    if (this.#isDue) return;
    this.#state = "reading";
    this.#read().then(
      (everybody) => this.#begun(everybody),
      () => this.#failed(),
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
    if (this.#isDue) this.begin();
  }

  #failed(): void {
    this.#state = "failed";
    this.#early = [];
    if (this.#isDue) this.begin();
  }

  #pass(presence: Presence): void {
    this.#version = presence.version;
    this.#tell(presence);
  }
}
