/** The hub as a library: build one, mount it into an Express app, or let it listen. */
export type { Bounds } from "../shared/limits.ts";
export type { Clock, Moment } from "./clock.ts";
export type { LeasePolicy } from "./core/message.ts";
export { createHub } from "./createHub.ts";
export type { RetentionPolicy } from "./hub/background/pruner.ts";
export type { RatePolicy } from "./hub/caller/rates.ts";
export type { Liveness } from "./hub/hub.ts";
export type { CreateHubOptions } from "./hubOptions.ts";
export type { MountedHub } from "./mountedHub.ts";
export type { Store } from "./store/store.ts";
