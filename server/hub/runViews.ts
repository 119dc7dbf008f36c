/**
 * Which view of the log each run has, so that a cursor from another view is known as one.
 *
 * A run that comes in another view is *offered* it, and told that its cursor is lost. That may not arrive: the view is
 * *taken* only once the run comes with a cursor that it can have from nowhere else. Until then its old one is lost again.
 * In memory and within bounds: a run that is forgotten is believed.
 */
import QuickLRU from "quick-lru";
import { EVERYONE } from "../../shared/addressing.ts";
import type { Reader } from "../core/view.ts";
import type { Client } from "./caller/client.ts";
import { runKey } from "./runs.ts";

const RUNS_KEPT = 10_000;

interface Views {
  readonly taken: string;
  readonly offered?: {
    readonly view: string;
    /** The least seq of the cursors that are given out in it. */
    readonly from: number;
  };
}

export class RunViews {
  readonly #runs = new QuickLRU<string, Views>({ maxSize: RUNS_KEPT });

  /**
   * A caller begins to read as a reader.
   *
   * @param seq of the cursor that it resumes from, if there is one and the log goes on from it.
   * @param from the least seq of the cursors that it is given if it does not resume.
   * @returns whether its cursor comes from another view.
   */
  changed(
    { claude_id, run }: Pick<Client, "claude_id" | "run">,
    reader: Reader,
    seq: number | undefined,
    from: number,
  ): boolean {
    if (run === null) return false;
    const [key, view] = [runKey(claude_id ?? "", run), reader ?? EVERYONE];
    const known = this.#runs.get(key);
    const { offered } = known ?? {};
    const isTaken = offered !== undefined && seq !== undefined && seq >= offered.from;
    const taken = isTaken ? offered.view : (known?.taken ?? view);
    if (taken === view) {
      if (known?.taken !== view || offered) this.#runs.set(key, { taken });
      return false;
    }
    const least = offered?.view === view ? Math.min(offered.from, from) : from;
    this.#runs.set(key, { taken, offered: { view, from: least } });
    return seq !== undefined;
  }
}
