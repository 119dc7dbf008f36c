const TWELVE_DAYS_MS = 2 ** 30;

/**
 * The one thing of the SDK that keeps a Node process alive: while at least one reason is held. Sockets and all
 * other timers are detached from the process.
 */
export class KeepAlive {
  #reasons = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  hold(): void {
    if (this.#reasons++ === 0) this.#timer = setInterval(() => {}, TWELVE_DAYS_MS);
  }

  release(): void {
    if (--this.#reasons === 0) clearInterval(this.#timer);
  }
}
