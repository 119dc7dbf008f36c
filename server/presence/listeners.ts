/**
 * Who is told of presence. A listener that leaves unread what it was told is told nothing more until it has caught up,
 * and then to read again.
 */

export interface PresenceListener {
  /** Whether so much is unread that nothing should be added. */
  readonly isBehind: boolean;
  /** Sends a notification. @param params as JSON. */
  notify(method: "presence" | "presence_changed", params: string): void;
}

export class PresenceListeners {
  readonly #all = new Set<PresenceListener>();
  /** Those who were not told everything. */
  readonly #behind = new Set<PresenceListener>();

  get count(): number {
    return this.#all.size;
  }

  /** @returns a function that ends the listening. */
  add(listener: PresenceListener): () => void {
    this.#all.add(listener);
    return () => {
      this.#all.delete(listener);
      this.#behind.delete(listener);
    };
  }

  /** @param changes as JSON. */
  tell(changes: string): void {
    this.#notify("presence", changes);
  }

  /** So much has changed that everybody has to read again. */
  tellToRead(version: number): void {
    this.#notify("presence_changed", changedAt(version));
  }

  /** Tells those who have missed something, and have caught up, to read again. */
  catchUp(version: number): void {
    for (const listener of this.#behind) {
      if (listener.isBehind) continue;
      this.#behind.delete(listener);
      listener.notify("presence_changed", changedAt(version));
    }
  }

  #notify(...notification: Parameters<PresenceListener["notify"]>): void {
    for (const listener of this.#all) {
      if (listener.isBehind) this.#behind.add(listener);
      else if (!this.#behind.has(listener)) listener.notify(...notification);
    }
  }
}

const changedAt = (version: number) => `{"version":${version}}`;
