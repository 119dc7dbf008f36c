import type { Message } from "../shared/index.ts";

/** A claim that succeeded: under which name, and the fence that says which attempt it is. */
export type OwnClaim = Pick<Message, "attempt" | "claimed_by">;

interface Known {
  held?: OwnClaim;
  /** Claims that failed and whose callers have not said yet that the task failed. */
  refused: number;
}

/** What is forgotten costs only the protection. */
const REMEMBERED = 10_000;

/**
 * What this process knows of its own claims. Callers of the document's functions carry neither run nor attempt, so
 * this is what tells a holder from somebody whose claim was refused.
 */
export class OwnClaims {
  readonly #known = new Map<string, Known>();

  /** The claim of this process on a task, when it has one. */
  held(id: string): OwnClaim | undefined {
    return this.#known.get(id)?.held;
  }

  won({ id, attempt, claimed_by }: Message): void {
    const held = { ...(attempt !== undefined && { attempt }), ...(claimed_by !== undefined && { claimed_by }) };
    this.#remember(id, { held, refused: 0 });
  }

  refused(id: string): void {
    const known = this.#known.get(id);
    this.#remember(id, { ...known, refused: (known?.refused ?? 0) + 1 });
  }

  /** The task has ended, or is no longer ours. */
  over(id: string): void {
    const refused = this.#known.get(id)?.refused ?? 0;
    this.#known.delete(id);
    if (refused > 0) this.#remember(id, { refused });
  }

  /**
   * Whether whoever says now that a task failed is somebody whose claim of it was refused. Where another part of this
   * process holds the task, each refusal accounts for one such caller.
   */
  wasRefused(id: string): boolean {
    const known = this.#known.get(id);
    if (!known || known.refused === 0) return false;
    if (known.held) known.refused--;
    return true;
  }

  /** Whether this process could not claim a task, and holds it no more than that. */
  isRefused(id: string): boolean {
    const known = this.#known.get(id);
    return known !== undefined && known.refused > 0 && known.held === undefined;
  }

  #remember(id: string, known: Known): void {
    this.#known.delete(id);
    this.#known.set(id, known);
    if (this.#known.size > REMEMBERED) this.#known.delete(this.#known.keys().next().value as string);
  }
}
