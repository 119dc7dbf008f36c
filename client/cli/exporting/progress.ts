import { SingleBar } from "cli-progress";
import type { Context } from "../context.ts";

interface Progress {
  /** @param total undefined where it is unknown. */
  reach(done: number, total: number | undefined): void;
  end(): void;
}

const NONE: Progress = { reach: () => {}, end: () => {} };

/** A bar on a terminal, unless the lines themselves go there. */
export function openProgress(
  { outside: { stdout, stderr }, print }: Context,
  { out, what }: { out: string | undefined; what: string },
): Progress {
  const isSeen = stderr.isTTY === true && !print.json && (out !== undefined || stdout.isTTY !== true);
  if (!isSeen) return NONE;
  const terminal = { stream: stderr, hideCursor: true, gracefulExit: false, clearOnComplete: true };
  let bar: SingleBar | undefined;
  return {
    reach(done, total) {
      if (!bar) {
        bar = new SingleBar({
          ...terminal,
          format: total === undefined ? `{value} ${what}` : `{bar} {value}/{total} ${what}`,
        });
        bar.start(total ?? 0, 0);
      }
      bar.setTotal(Math.max(total ?? 0, done));
      bar.update(done);
    },
    end: () => bar?.stop(),
  };
}
