import QuickLRU from "quick-lru";
import type { Message } from "../../shared/index.ts";

/** A claim that succeeded: under which name, and its fence, the attempt's number. */
type OwnClaim = Pick<Message, "attempt" | "claimed_by">;

interface Known {
  held?: OwnClaim;
  /** How many claims failed whose callers have not reported the task as failed yet. */
  refused: number;
  /** Whether the hub itself refused one: a claim without an answer may be ours. */
  denied?: boolean;
}

/** What is forgotten costs only the protection. */
const REMEMBERED = 10_000;

/**
 * What this process knows of its own claims. Callers of the document's functions carry neither run nor attempt, so this
 * is what distinguishes a holder from somebody whose claim was refused.
 */
export class OwnClaims {
  readonly #known = new QuickLRU<string, Known>({ maxSize: REMEMBERED });

  /** The claim of this process on a task, when it has one. */
  held(id: string): OwnClaim | undefined {
    return this.#known.get(id)?.held;
  }

  won({ id, attempt, claimed_by }: Message): void {
    const held = { ...(attempt !== undefined && { attempt }), ...(claimed_by !== undefined && { claimed_by }) };
    this.#known.set(id, { held, refused: 0 });
  }

  /** @param denied whether the hub said that the task is not to be had. */
  refused(id: string, denied: boolean): void {
    const known = this.#known.get(id);
    const refused = (known?.refused ?? 0) + 1;
    this.#known.set(id, { ...known, refused, denied: denied || known?.denied === true });
  }

  /** The task has ended, or is no longer ours. */
  over(id: string): void {
    const { held: _, ...known } = this.#known.get(id) ?? { refused: 0 };
    this.#known.delete(id);
    if (known.refused > 0) this.#known.set(id, known);
  }

  /**
   * Whether whoever reports a task as failed now is somebody whose claim of it was refused. Where another part of this
   * process holds the task, each refusal accounts for one such caller.
   */
  wasRefused(id: string): boolean {
    const known = this.#known.get(id);
    if (!known || known.refused === 0) return false;
    if (known.held) known.refused--;
    return true;
  }

  /** Whether the hub refused this process a task that no part of it holds. */
  wasDenied(id: string): boolean {
    const known = this.#known.get(id);
    return known?.denied === true && known.held === undefined;
  }
}
