/** The client process of one system: opens its driver, loads it, and tells what was measured. */
import { serve } from "../os/agent.ts";
import { openBullMq, openBullMqPipelined } from "./bullMq.ts";
import type { OpenDriver } from "./driver.ts";
import { openHubSdk, openHubWork } from "./hubSdk.ts";
import { openHubSocket } from "./hubSocket.ts";
import { openJetStream, openJetStreamKeptPromises } from "./jetStream.ts";
import { type Load, type Measured, underLoad } from "./load.ts";

const DRIVERS = {
  hub: openHubSdk,
  hubSocket: openHubSocket,
  hubWork: openHubWork,
  jetStream: openJetStream,
  jetStreamKeptPromises: openJetStreamKeptPromises,
  bullMq: openBullMq,
  bullMqPipelined: openBullMqPipelined,
} satisfies Record<string, OpenDriver>;

export type DriverName = keyof typeof DRIVERS;

const handlers = {
  async measure({ driver, port, load }: { driver: DriverName; port: number; load: Load }): Promise<Measured> {
    const opened = await DRIVERS[driver](port, load.inFlight);
    try {
      return await underLoad(opened, load);
    } finally {
      await opened.close();
    }
  },
};

export type LifecycleClient = typeof handlers;

serve(handlers);
