/**
 * Leases of runs that listen to a stream of events. A stream shows that its line lives, not that anybody reads it: a
 * worker that hangs looks like one that is silent. So it keeps leases only as long as its run asks for something now
 * and then.
 */
import { LIVENESS } from "../../../shared/defaults.ts";
import type { Hub } from "../../hub/hub.ts";
import { runKey } from "../../hub/runs.ts";

/** How long a run may be silent. */
const SILENT_MS = LIVENESS.fresh_min_ms;

interface Listening {
  streams: number;
  /** Ends what keeps its leases; undefined: it has been silent for too long. */
  detach: (() => void) | undefined;
}

export class StreamLeases {
  readonly #hub: Pick<Hub, "clock" | "runs">;
  readonly #listening = new Map<string, Listening>();

  constructor(hub: Pick<Hub, "clock" | "runs">) {
    this.#hub = hub;
  }

  /** A stream of the run has begun. @returns what to call when it is over. */
  begin(claudeId: string, run: string): () => void {
    const key = runKey(claudeId, run);
    const listening = this.#listening.get(key) ?? { streams: 0, detach: undefined };
    this.#listening.set(key, listening);
    listening.streams++;
    this.heard(claudeId, run);
    return () => {
      if (--listening.streams > 0) return;
      this.#listening.delete(key);
      listening.detach?.();
    };
  }

  /** The run asks for something. */
  heard(claudeId: string | null, run: string | null): void {
    if (this.#listening.size === 0 || claudeId === null || run === null) return;
    const listening = this.#listening.get(runKey(claudeId, run));
    if (!listening) return;
    const before = listening.detach;
    listening.detach = this.#attach(claudeId, run, () => {
      listening.detach = undefined;
    });
    before?.();
  }

  /** @returns what ends it; it ends by itself after a while. */
  #attach(claudeId: string, run: string, ended: () => void): () => void {
    const { clock, runs } = this.#hub;
    const detach = () => {
      cancelTimer();
      runs.detach(claudeId, run);
    };
    const cancelTimer = clock.after(SILENT_MS, () => {
      detach();
      ended();
    });
    runs.attach(claudeId, run);
    return detach;
  }
}
