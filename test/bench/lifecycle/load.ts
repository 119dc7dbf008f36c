/** Keeps a fixed number of lifecycles on their way, and measures a window of them. */
import { setTimeout as sleep } from "node:timers/promises";
import { cpuSeconds } from "../os/proc.ts";
import { median, percentile } from "../statistics.ts";
import type { Driver } from "./driver.ts";

export interface Load {
  inFlight: number;
  warmUpMs: number;
  windowMs: number;
  /** The server, whose processor time is measured over the window. */
  serverPid: number;
}

export interface Measured {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Processor time a lifecycle, in microseconds. */
  serverUs: number;
  clientUs: number;
}

export async function underLoad(driver: Driver, { inFlight, warmUpMs, windowMs, serverPid }: Load): Promise<Measured> {
  let latencies: number[] = [];
  let stopped = false;
  const lane = async () => {
    while (!stopped) {
      const begin = performance.now();
      await driver.run();
      latencies.push(performance.now() - begin);
    }
  };
  const lanes = Promise.all(Array.from({ length: inFlight }, lane));
  await Promise.race([lanes, sleep(warmUpMs)]);
  latencies = [];
  const meter = new Meter(serverPid);
  await Promise.race([lanes, sleep(windowMs)]);
  const measured = meter.read(latencies);
  stopped = true;
  await lanes;
  return measured;
}

/** Time and processor time since it was created. */
class Meter {
  readonly #serverPid: number;
  readonly #begin: { at: number; server: number; client: number };

  constructor(serverPid: number) {
    this.#serverPid = serverPid;
    this.#begin = this.#now();
  }

  read(latencies: number[]): Measured {
    const end = this.#now();
    const count = latencies.length;
    return {
      perSecond: count / (end.at - this.#begin.at),
      p50Ms: median(latencies),
      p99Ms: percentile(latencies, 99),
      serverUs: ((end.server - this.#begin.server) * 1e6) / count,
      clientUs: ((end.client - this.#begin.client) * 1e6) / count,
    };
  }

  #now() {
    return {
      at: performance.now() / 1000,
      server: cpuSeconds(this.#serverPid),
      client: cpuSeconds(process.pid),
    };
  }
}
