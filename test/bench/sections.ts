/** Every section of the benchmark, in the order in which they run. */
import type { Section } from "./bench.ts";
import { latency } from "./lifecycle/latency.ts";
import { throughput } from "./lifecycle/throughput.ts";

export const SECTIONS: Section[] = [throughput, latency];
