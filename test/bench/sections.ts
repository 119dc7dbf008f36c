/** Every section of the benchmark, in the order in which they run. */
import type { Section } from "./bench.ts";
import { fanout } from "./fanout/fanout.ts";
import { history } from "./history/history.ts";
import { idle } from "./idle/idle.ts";
import { latency } from "./lifecycle/latency.ts";
import { throughput } from "./lifecycle/throughput.ts";
import { loop } from "./loop/loop.ts";

export const SECTIONS: Section[] = [throughput, latency, fanout, idle, loop, history];
