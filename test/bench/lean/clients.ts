/** The lean clients by name: what a child process is told. */
import { hubInstances, hubObservers } from "./hub.ts";
import type { LeanClient } from "./lean.ts";
import { nats } from "./nats.ts";
import { socketIo } from "./socketIo.ts";

export const LEAN = { hubInstances, hubObservers, nats, socketIo } satisfies Record<string, LeanClient>;
export type LeanName = keyof typeof LEAN;
