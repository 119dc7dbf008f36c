/**
 * Callers of `claim_next` that wait for a task: a line for each recipient, first come first served.
 *
 * A waiter is `trying` (a claim is under way for it), `waiting`, or `called` (a task may be there for it, it has not
 * tried yet). A task that becomes claimable calls the first that is waiting. A line that is known to be empty
 * spares its waiters a vain try: whoever comes to it waits at once.
 *
 * Nothing is missed: a waiter stands in line before it tries, and a line counts as empty only if nothing became
 * claimable between the beginning of a vain try and its end. A call that its waiter does not use is passed on.
 */
import type { LogEntry } from "../store/store.ts";
import type { Deadline } from "./deadline.ts";

interface Line {
  readonly waiters: Set<Waiter>;
  /** Seq of the last entry that made a task claimable. */
  lastClaimable: number;
  isEmpty: boolean;
}

interface Waiter {
  state: "trying" | "waiting" | "called";
  call: () => void;
}

export class ClaimLines {
  readonly #lines = new Map<string, Line>();

  /** Tells the lines of what was committed. */
  committed(entries: readonly LogEntry[]): void {
    if (this.#lines.size === 0) return;
    for (const { claimable, to, seq } of entries) {
      const line = claimable ? this.#lines.get(to) : undefined;
      if (!line) continue;
      line.lastClaimable = seq;
      line.isEmpty = false;
      callFirst(line);
    }
  }

  /**
   * Waits in line for a task.
   *
   * @param tryOnce claims the next task of the recipient.
   * @param found whether a try has found one.
   * @returns what the last try gave; undefined when there was none before the deadline.
   */
  async claim<T>(recipient: string, deadline: Deadline, tryOnce: () => Promise<T>, found: (tried: T) => boolean) {
    const line = this.#lines.get(recipient) ?? { waiters: new Set(), lastClaimable: 0, isEmpty: false };
    this.#lines.set(recipient, line);
    const waiter: Waiter = { state: "waiting", call: () => {} };
    line.waiters.add(waiter);
    try {
      let tried: T | undefined;
      while (!deadline.isOver) {
        if (!line.isEmpty) tried = await tryInLine(line, waiter, tryOnce, found);
        if (tried !== undefined && found(tried)) return tried;
        if (line.isEmpty && !deadline.isOver) await called(waiter, deadline);
      }
      return tried;
    } finally {
      this.#leave(recipient, line, waiter);
    }
  }

  #leave(recipient: string, line: Line, waiter: Waiter): void {
    line.waiters.delete(waiter);
    if (line.waiters.size === 0) this.#lines.delete(recipient);
    else if (waiter.state === "called") callFirst(line);
  }
}

async function tryInLine<T>(line: Line, waiter: Waiter, tryOnce: () => Promise<T>, found: (tried: T) => boolean) {
  const { lastClaimable } = line;
  waiter.state = "trying";
  const tried = await tryOnce();
  waiter.state = "waiting";
  if (!found(tried) && line.lastClaimable === lastClaimable) line.isEmpty = true;
  return tried;
}

function called(waiter: Waiter, deadline: Deadline): Promise<void> {
  return new Promise((resolve) => {
    const release = deadline.onOver(resolve);
    waiter.call = () => {
      waiter.state = "called";
      release();
      resolve();
    };
  });
}

function callFirst(line: Line): void {
  for (const waiter of line.waiters) {
    if (waiter.state !== "waiting") continue;
    waiter.call();
    return;
  }
}
