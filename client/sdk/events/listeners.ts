/** @returns nothing, or a promise whose failure is reported as an `error`. */
export type Handler<T> = (value: T) => unknown;

const NONE: readonly Handler<never>[] = [];

/**
 * Handlers by kind. A handler that fails harms nobody else: its error goes to the `error` handlers, and where there
 * are none, or one of them fails itself, it is thrown outside of every caller, as any error nobody caught.
 */
export class Listeners<Kinds extends { error: Error }> {
  readonly #handlers = new Map<keyof Kinds, readonly Handler<never>[]>();

  /** @returns what takes the handler away again. */
  on<K extends keyof Kinds>(kind: K, handler: Handler<Kinds[K]>): () => void {
    const own: Handler<Kinds[K]> = (value) => handler(value);
    this.#handlers.set(kind, [...this.#of(kind), own]);
    return () =>
      void this.#handlers.set(
        kind,
        this.#of(kind).filter((one) => one !== own),
      );
  }

  has(kind: keyof Kinds): boolean {
    return this.#of(kind).length > 0;
  }

  emit<K extends keyof Kinds>(kind: K, value: Kinds[K]): void {
    for (const handler of this.#of(kind) as readonly Handler<Kinds[K]>[])
      this.#run(handler, value, kind === "error" ? throwOutside : this.report);
  }

  /** Tells the `error` handlers, or nobody. @returns whether there are any. */
  readonly tell = (error: unknown): boolean => {
    const isHeard = this.has("error"); // a handler may take itself away
    this.emit("error", error as Kinds["error"]);
    return isHeard;
  };

  /** Tells the `error` handlers. */
  readonly report = (error: unknown): void => {
    if (!this.tell(error)) throwOutside(error);
  };

  #run<T>(handler: Handler<T>, value: T, failed: (error: unknown) => void): void {
    try {
      const outcome = handler(value);
      if (outcome instanceof Promise) outcome.catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  #of(kind: keyof Kinds): readonly Handler<never>[] {
    return this.#handlers.get(kind) ?? NONE;
  }
}

function throwOutside(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
