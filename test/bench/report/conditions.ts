/** Under which conditions a run measured: without them no number means anything. */
import { cpus, loadavg } from "node:os";
import { fdatasyncMs } from "../limit/disk.ts";
import { formatNumber } from "./print.ts";

/** One line. `folder` is on the disk that is measured. */
export function conditions(folder: string): string {
  const [model] = cpus();
  return [
    `${cpus().length} × ${model?.model.trim()}`,
    `Node ${process.versions.node}`,
    `load ${loadavg()[0]?.toFixed(1)}`,
    `fdatasync ${formatNumber(fdatasyncMs(folder))} ms`,
  ].join(" · ");
}
