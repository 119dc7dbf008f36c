/**
 * Loaded into the hub's process before the hub itself (`node --import`): measures the delay of its event loop and
 * tells it over the channel. Nothing of the hub knows of it.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { isMainThread } from "node:worker_threads";

/** Delays of one window, in milliseconds beyond the sampling interval. */
export interface LoopDelay {
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

const SAMPLE_MS = 1;

if (isMainThread) {
  const histogram = monitorEventLoopDelay({ resolution: SAMPLE_MS });
  const delay = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - SAMPLE_MS);
  histogram.enable();
  process.on("message", (question) => {
    if (question === "reset") histogram.reset();
    if (question !== "read") return;
    const read: LoopDelay = {
      p50Ms: delay(histogram.percentile(50)),
      p99Ms: delay(histogram.percentile(99)),
      maxMs: delay(histogram.max),
    };
    process.send?.(read);
  });
  process.channel?.unref();
}
